package labenv

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/unilb/unilb/conformance/compare"
	"github.com/unilb/unilb/conformance/driver"
	"github.com/unilb/unilb/conformance/flake"
	"github.com/unilb/unilb/conformance/spec"
)

// How often a case runs on each side. What differs in the first rounds must differ
// in all of the others, too: chance seldom does.
const (
	rounds        = 2
	confirmRounds = 5
)

// DefaultPairs is how many pairs of loads are taken when nothing else is said, and
// DefaultLasting how long each load is measured.
const (
	DefaultPairs   = 9
	DefaultLasting = 2 * time.Second
)

// CompareOptions say what is compared and how. The embedded Options say which cases,
// where, with which other programs; Binary and Repeat are not used.
type CompareOptions struct {
	Options
	Base, Head string        // a program, a manifest or the directory of a run
	Pairs      int           // of loads, and as many again where they show a difference; 0: none are taken
	Lasting    time.Duration // of one load; DefaultLasting when 0
	Allow      string        // file of differences that are accepted; empty: none are
	Across     bool          // compare runs of other topologies and machine classes, too
}

// Compare compares two builds of a gateway, or two runs, and writes what it found. It
// returns the exit code and, when it could not be carried out, why.
func Compare(ctx context.Context, o CompareOptions) (*compare.Comparison, int, error) {
	if o.Out == "" {
		o.Out = filepath.Join("out", "compare")
	}
	var err error
	if o.Options, err = o.filled(); err != nil {
		return nil, ExitBroken, err
	}
	base, head, allow, err := o.read()
	if err != nil {
		return nil, ExitBadInput, err
	}
	if err := os.MkdirAll(o.Out, 0o755); err != nil {
		return nil, ExitBadInput, fmt.Errorf("make %s: %w", o.Out, err)
	}
	c := &compare.Comparison{Started: time.Now(), Command: shellLine(o.Command), Base: compare.Side{Given: o.Base}, Head: compare.Side{Given: o.Head}}
	var code int
	if base.runDir != "" {
		code, err = o.runs(c, base, head)
	} else {
		code, err = o.builds(ctx, c, base, head)
	}
	if err != nil {
		return nil, code, err
	}
	c.Took = time.Since(c.Started)
	c.Fill(allow)
	if err := c.Write(o.Out); err != nil {
		return nil, ExitBroken, err
	}
	fmt.Fprintln(o.Stderr, "comparison:", filepath.Join(o.Out, compare.HTMLFile))
	if ctx.Err() != nil {
		return c, ExitInterrupted, nil
	}
	return c, c.Exit(), nil
}

// read finds out what the two sides are, and reads the allow-list, before anything
// is started.
func (o CompareOptions) read() (base, head operand, allow *compare.AllowList, err error) {
	if o.Pairs < 0 || o.Pairs > compare.MaxPairs {
		return base, head, nil, fmt.Errorf("%d pairs of loads: want 0 to %d", o.Pairs, compare.MaxPairs)
	}
	if base, err = operandOf(o.Base, o.Gateway); err != nil {
		return base, head, nil, err
	}
	if head, err = operandOf(o.Head, o.Gateway); err != nil {
		return base, head, nil, err
	}
	if (base.runDir == "") != (head.runDir == "") {
		return base, head, nil, fmt.Errorf("one side is a run and the other a build; judge the build first: lbsim conform --repeat %d --out DIR", rounds)
	}
	if o.Allow == "" {
		return base, head, nil, nil
	}
	text, err := os.ReadFile(o.Allow)
	if err != nil {
		return base, head, nil, fmt.Errorf("read allow-list: %w", err)
	}
	allow, err = compare.DecodeAllow(o.Allow, text, append(caseIDs(), startRow, revisionRow, lifeRow, drainRow), time.Now())
	return base, head, allow, err
}

// An operand is one side of a comparison: the directory of a run, or a build.
type operand struct {
	runDir  string
	gateway string // driver of the build
	binary  string // program in the place of the driver's; "": that one
}

// operandOf says what a word on the command line is.
func operandOf(word, gateway string) (operand, error) {
	st, err := os.Stat(word)
	if err != nil {
		return operand{}, fmt.Errorf("want a program, a manifest (.yaml) or the directory of a run: %w", err)
	}
	path, err := filepath.Abs(word)
	if err != nil {
		return operand{}, err
	}
	switch ext := filepath.Ext(word); {
	case st.IsDir():
		return operand{runDir: path}, nil
	case ext == ".yaml" || ext == ".yml":
		return operand{gateway: path}, nil
	}
	return operand{gateway: gateway, binary: path}, nil
}

// builds compares two builds side by side: the same cases in the same lab with the
// same names, one after the other, taking turns in who is first.
func (o CompareOptions) builds(ctx context.Context, c *compare.Comparison, base, head operand) (int, error) {
	selected, err := o.cases()
	if err != nil {
		return ExitBadInput, err
	}
	d := &duel{o: o, c: c, confirmed: map[string]bool{}}
	var looked [2]lookedAt
	for i, x := range []operand{base, head} {
		name := []string{"base", "head"}[i]
		var code int
		if looked[i], code, err = o.lookAt(name, x); err != nil {
			return code, fmt.Errorf("%s: %w", name, err)
		}
	}
	for i, l := range looked { // a mistake in either has been found: what an earlier comparison left may go
		if d.sides[i], err = newJudgement(l.name, l.options, l.manifest, selected, l.quarantine); err != nil {
			return ExitBadInput, err // nothing can be written where it was asked for
		}
	}
	if err := o.checkScenarios(d.sides); err != nil {
		return ExitBadInput, err
	}
	return d.run(ctx, selected)
}

// A lookedAt is a side that can be judged as far as one can tell without starting it.
type lookedAt struct {
	name       string
	options    Options
	manifest   *driver.Manifest
	quarantine *flake.Quarantine
}

// lookAt finds out whether a side can be judged. It changes nothing.
func (o CompareOptions) lookAt(name string, x operand) (lookedAt, int, error) {
	l := lookedAt{name: name, options: o.Options}
	l.options.Gateway, l.options.Binary, l.options.Out, l.options.Repeat = x.gateway, x.binary, filepath.Join(o.Out, name), 0
	l.options.Scenarios = ""
	var err error
	if l.manifest, err = loadDriver(x.gateway); err == nil {
		err = feasible(l.options, l.manifest)
	}
	if err != nil {
		return l, notFeasible(err), err
	}
	if l.quarantine, err = l.options.quarantine(time.Now()); err == nil {
		err = removable(l.options.Out)
	}
	return l, ExitBadInput, err
}

// A duel is two judgements that take turns.
type duel struct {
	o         CompareOptions
	c         *compare.Comparison
	sides     [2]*judgement
	confirmed map[string]bool // differences that were there in confirmRounds rounds of some case
	passed    bool            // some case did, on some side
}

func (d *duel) run(ctx context.Context, selected []spec.Case) (int, error) {
	for i, s := range d.sides {
		if code, err := s.begin(ctx); err != nil {
			for _, begun := range d.sides[:i] {
				begun.end(ctx)
			}
			return code, fmt.Errorf("%s: %w", s.name, err)
		}
	}
	for i, x := range selected {
		if ctx.Err() != nil {
			break
		}
		d.compareCase(ctx, x, i)
	}
	if !d.passed {
		d.problem(nonePassed)
	}
	for _, s := range d.sides {
		s.end(ctx)
	}
	d.loads(ctx)
	d.rows()
	d.scenarios(ctx)
	return ExitGood, d.write(ctx)
}

// compareCase runs a case on both sides, more often when they seem to differ, so
// that chance does not pass for a difference.
func (d *duel) compareCase(ctx context.Context, x spec.Case, turn int) {
	var seen [2][]compare.Seen
	round := 0
	until := func(n int) {
		for ; round < n && ctx.Err() == nil; round++ {
			for k := range 2 {
				side := (turn + round + k) % 2
				seen[side] = append(seen[side], d.sides[side].one(ctx, x, round))
			}
		}
	}
	until(rounds)
	found := compare.Case(seen[0], seen[1])
	if d.news(found) {
		until(confirmRounds)
		found = compare.Case(seen[0], seen[1])
	}
	if ctx.Err() != nil {
		return
	}
	for i, f := range found {
		d.confirmed[key(f)] = true
		found[i].Allowed = quarantinedAs(d.sides[0].quarantine, x.ID)
	}
	d.c.Differences = append(d.c.Differences, found...)
	d.c.Cases++
	d.passed = d.passed || anyPassed(seen[0]) || anyPassed(seen[1])
}

// nonePassed is a problem: two gateways that do not start differ in nothing, and
// nobody has seen what the head would do.
const nonePassed = "no case passed on either side: that nothing differs means nothing"

func anyPassed(runs []compare.Seen) bool {
	return slices.ContainsFunc(runs, func(s compare.Seen) bool { return s.State == spec.Pass })
}

// quarantinedAs is what accepts whatever an unreliable case shows; "" for others.
func quarantinedAs(q *flake.Quarantine, id string) string {
	if slices.ContainsFunc(q.Cases, func(e flake.Entry) bool { return e.Case == id }) {
		return quarantineName
	}
	return ""
}

const quarantineName = "the quarantine"

// news says whether a difference was not confirmed by another case already.
func (d *duel) news(found []compare.Difference) bool {
	for _, f := range found {
		if f.Kind != compare.Changed || !d.confirmed[key(f)] {
			return true
		}
	}
	return false
}

func key(f compare.Difference) string { return string(f.Meaning) + " " + f.Text() }

// rows compares what became of the gateways themselves, and what they used.
func (d *duel) rows() {
	for _, b := range d.sides[0].rows {
		for _, h := range d.sides[1].rows {
			if b.Case == h.Case {
				d.c.Differences = append(d.c.Differences, compare.Case([]compare.Seen{outcomeOf(b)}, []compare.Seen{outcomeOf(h)})...)
			}
		}
	}
	b, h := d.sides[0].used, d.sides[1].used
	for _, u := range []struct {
		name       string
		base, head float64
		show       string
		unit       float64
		least      float64 // less is chance
	}{{"CPU", b.CPU.Seconds(), h.CPU.Seconds(), "%.2fs", 1, 0.5}, {"peak memory", float64(b.Peak), float64(h.Peak), "%.1f MiB", 1 << 20, 1}} {
		if u.base >= u.least && u.head > 0 {
			d.c.Used = append(d.c.Used, compare.Use{Name: u.name, Base: fmt.Sprintf(u.show, u.base/u.unit), Head: fmt.Sprintf(u.show, u.head/u.unit), Ratio: u.head / u.base})
		}
	}
}

// outcomeOf is a result as something that was seen once, of which nothing but the
// outcome is known.
func outcomeOf(r spec.Result) compare.Seen {
	return compare.Seen{Case: r.Case, State: r.State, Reason: r.Reason, Says: r.Says, Took: r.Took}
}

// write makes the reports of both sides, which are runs of their own from now on,
// and notes in the comparison where they come from.
func (d *duel) write(ctx context.Context) error {
	for i, s := range d.sides {
		r := s.report(ctx)
		if err := s.write(ctx, r); err != nil {
			return err
		}
		side := []*compare.Side{&d.c.Base, &d.c.Head}[i]
		side.Gateway, side.Suite, side.Run, side.Machine = r.Gateway, r.Suite, r.Run, r.Machine
		for _, p := range r.Problems {
			d.problem(s.name + ": " + p)
		}
	}
	return nil
}

func (d *duel) problem(text string) { d.c.Problems = append(d.c.Problems, text) }
