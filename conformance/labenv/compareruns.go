package labenv

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/unilb/unilb/conformance/compare"
	"github.com/unilb/unilb/conformance/report"
	"github.com/unilb/unilb/conformance/spec"
)

// A pastRun is what a run left: its report, and what each case showed.
type pastRun struct {
	report *report.Report
	seen   map[string][]compare.Seen
	edited error // the report is not what was written
}

func readRun(dir string) (pastRun, error) {
	r, err := report.ReadFile(dir)
	if err != nil {
		return pastRun{}, fmt.Errorf("read run %s: %w", dir, err)
	}
	text, err := os.ReadFile(filepath.Join(dir, report.YAMLFile))
	if err != nil {
		return pastRun{}, fmt.Errorf("read run %s: %w", dir, err)
	}
	seen, err := readSeen(dir)
	return pastRun{r, seen, report.Sealed(text)}, err
}

// of are the runs of a case; when none was kept, its outcome alone.
func (p pastRun) of(r spec.Result) []compare.Seen {
	if s := p.seen[r.Case]; len(s) > 0 {
		return s
	}
	return []compare.Seen{outcomeOf(r)}
}

// runs compares what two earlier runs left. Nothing is started.
func (o CompareOptions) runs(c *compare.Comparison, base, head operand) (int, error) {
	b, err := readRun(base.runDir)
	if err != nil {
		return ExitBadInput, err
	}
	h, err := readRun(head.runDir)
	if err != nil {
		return ExitBadInput, err
	}
	for i, s := range []*compare.Side{&c.Base, &c.Head} {
		r := []*report.Report{b.report, h.report}[i]
		s.Gateway, s.Suite, s.Run, s.Machine = r.Gateway, r.Suite, r.Run, r.Machine
		if edited := []error{b.edited, h.edited}[i]; edited != nil {
			c.Notes = append(c.Notes, fmt.Sprintf("%s: %v", s.Given, edited))
		}
		for _, p := range r.Problems {
			c.Problems = append(c.Problems, fmt.Sprintf("%s: %s", s.Given, p))
		}
	}
	c.Comparable(o.Across)
	if !casePassed(b.report) && !casePassed(h.report) {
		c.Problems = append(c.Problems, nonePassed)
	}
	var once int
	c.Cases, once = pastResults(c, b, h, b.report.Cases, h.report.Cases)
	c.Scenarios, _ = pastResults(c, b, h, b.report.Scenarios, h.report.Scenarios)
	if once > 0 {
		c.Notes = append(c.Notes, fmt.Sprintf("%d cases ran only once on a side: of these only the outcome is compared (lbsim conform --repeat %d)", once, rounds))
	}
	return ExitGood, nil
}

func casePassed(r *report.Report) bool {
	return slices.ContainsFunc(slices.Concat(r.Cases, r.Scenarios), func(x spec.Result) bool { return x.Profile != rowProfile && x.State == spec.Pass })
}

// pastResults compares cases, or scenarios, that both runs have, and names those
// that one of them has.
func pastResults(c *compare.Comparison, b, h pastRun, base, head []spec.Result) (both, once int) {
	inHead := map[string]spec.Result{}
	for _, r := range head {
		inHead[r.Case] = r
	}
	for _, r := range base {
		other, ok := inHead[r.Case]
		delete(inHead, r.Case)
		if !ok {
			c.Differences = append(c.Differences, compare.Difference{Kind: compare.GoneCase, Meaning: compare.Outcome, Cases: []string{r.Case}, Base: string(r.State), Head: "-"})
			continue
		}
		sb, sh := b.of(r), h.of(other)
		if r.Profile != rowProfile {
			both++
			if min(len(sb), len(sh)) < rounds && r.State == spec.Pass {
				once++
			}
		}
		for _, d := range compare.Case(sb, sh) {
			if r.Quarantine != nil || other.Quarantine != nil {
				d.Allowed = quarantineName
			}
			c.Differences = append(c.Differences, d)
		}
	}
	for _, r := range head {
		if _, fresh := inHead[r.Case]; fresh {
			c.Differences = append(c.Differences, compare.Difference{Kind: compare.NewCase, Meaning: compare.Outcome, Cases: []string{r.Case}, Base: "-", Head: string(r.State)})
		}
	}
	return both, once
}
