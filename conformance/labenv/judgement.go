package labenv

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/unilb/unilb/conformance/cases"
	"github.com/unilb/unilb/conformance/compare"
	"github.com/unilb/unilb/conformance/driver"
	"github.com/unilb/unilb/conformance/flake"
	"github.com/unilb/unilb/conformance/report"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/conformance/suite"
	"github.com/unilb/unilb/sim/sandbox"
)

// A judgement is one build of a gateway judged by one worker, case by case. It is
// used by one goroutine.
type judgement struct {
	name       string // before each line of progress; "" when there is no other
	o          Options
	m          *driver.Manifest
	selected   []spec.Case // in the order in which they run
	quarantine *flake.Quarantine
	started    time.Time

	hand     *hand
	notes    notes // for the worker after this one
	keep     *keeper
	place    place
	rows     []spec.Result // of the gateway's life
	judged   []spec.Result // of cases, a result for each time that one ran
	used     usage
	problems []string
}

// newJudgement removes what an earlier one left in its directory.
func newJudgement(name string, o Options, m *driver.Manifest, selected []spec.Case, q *flake.Quarantine) (*judgement, error) {
	j := &judgement{name: name, o: o, m: m, selected: selected, quarantine: q, started: time.Now()}
	j.notes.States, j.notes.Latest = map[int]map[string]spec.State{}, map[string]spec.State{}
	err := cleanOut(o.Out)
	if err == nil {
		j.keep, err = newKeeper(o.Out)
	}
	return j, err
}

func (j *judgement) line(text string) {
	if j.name != "" {
		text = fmt.Sprintf("%-5s%s", j.name, text)
	}
	fmt.Fprintln(j.o.Stderr, text)
}

// run carries the judgement out. An error means that there is nothing to report.
func (j *judgement) run(ctx context.Context) (int, error) {
	if code, err := j.begin(ctx); err != nil {
		return code, err
	}
	j.cases(ctx)
	j.end(ctx)
	return ExitGood, nil
}

// begin starts the worker and brings the lab up.
func (j *judgement) begin(ctx context.Context) (int, error) {
	var err error
	if j.hand, err = startHand(j.line); err != nil {
		var missing *sandbox.Unavailable
		if errors.As(err, &missing) {
			return ExitMachine, fmt.Errorf("%w; what still works: l7gw --standalone, make test", err)
		}
		return ExitUndecided, err
	}
	r, err := j.hand.do(ctx, order{Up: j.o.upOrder(j.selected)})
	switch {
	case err != nil:
		j.problem(err)
	case r.Refused != nil && r.Refused.Code != ExitUndecided:
		err := errors.New(r.Refused.Text)
		j.hand.close(err)
		return r.Refused.Code, err
	case r.Refused != nil:
		err := errors.New(r.Refused.Text)
		j.problem(err)
		j.hand.close(err) // there is no lab to run anything in
	default:
		j.place = *r.Place
		j.row(r.Result)
	}
	j.ask(ctx, askRevision)
	return ExitGood, nil
}

// end asks the last questions and takes the lab down.
func (j *judgement) end(ctx context.Context) {
	j.ask(ctx, askLife)
	j.ask(ctx, askDrain)
	if r, err := j.hand.do(ctx, order{Down: true}); err == nil && r.Refused != nil {
		j.problem(errors.New(r.Refused.Text))
	}
	j.hand.close(errors.New("the run is over"))
	if err := j.keep.close(); err != nil {
		j.problem(err)
	}
}

// cases runs the blocking part, as often as was asked for, says what came of it,
// and runs the rest.
func (j *judgement) cases(ctx context.Context) {
	last := -1
	for i, c := range j.selected {
		if spec.Blocking(c) {
			last = i
		}
	}
	j.rounds(ctx, j.selected[:last+1])
	if last >= 0 && j.hand.lost == nil && ctx.Err() == nil {
		j.sayBlocking()
	}
	j.rounds(ctx, j.selected[last+1:])
}

func (j *judgement) rounds(ctx context.Context, cs []spec.Case) {
	for round := range max(1, j.o.Repeat) {
		for _, c := range cs {
			if ctx.Err() != nil {
				return
			}
			j.one(ctx, c, round)
		}
	}
}

// one runs a case once and returns what it showed.
func (j *judgement) one(ctx context.Context, c spec.Case, round int) compare.Seen {
	j.replace(ctx)
	r, err := j.hand.do(ctx, order{Case: &caseOrder{ID: c.ID, Round: round}})
	if err != nil {
		j.problem(err)
		lost := spec.Result{
			Case: c.ID, Title: c.Title, Level: c.Level, Feature: c.Needs[0], Profile: spec.ProfileOf(c), Blocking: spec.Blocking(c), Refs: c.Refs,
			State: spec.Broken, Says: []string{"not run: " + err.Error()},
		}
		r = reply{Result: &lost}
	} else {
		j.line(report.Line(*r.Result))
	}
	if j.notes.States[round] == nil {
		j.notes.States[round] = map[string]spec.State{}
	}
	j.notes.States[round][c.ID], j.notes.Latest[c.ID] = outcome(*r.Result), outcome(*r.Result)
	if n := r.Notes; n != nil {
		j.notes.Deaths, j.notes.Excused, j.notes.Cut = n.Deaths, n.Excused, n.Cut
	}
	j.judged = append(j.judged, *r.Result)
	if r.Seen == nil {
		r.Seen = &compare.Seen{Case: c.ID, Round: round, State: r.Result.State, Reason: r.Result.Reason, Says: r.Result.Says}
	}
	if err := j.keep.seen(*r.Seen); err != nil {
		j.problem(err)
	}
	return *r.Seen
}

// maxWorkers is how many workers a judgement may use: whoever loses more has a fault
// that no new one mends.
const maxWorkers = 4

// replace starts a new worker with a lab of its own when the last one was lost, so
// that only the case in which that happened is not judged.
func (j *judgement) replace(ctx context.Context) {
	if j.hand.lost == nil || j.hand.closed || j.place.Run.Topology == "" || j.notes.Nth+1 >= maxWorkers || ctx.Err() != nil {
		return
	}
	j.notes.Nth++
	j.line(fmt.Sprintf("%v; worker %d of at most %d takes over", j.hand.lost, j.notes.Nth+1, maxWorkers))
	h, err := startHand(j.line)
	if err != nil {
		j.problem(err)
		return
	}
	_ = j.hand.conn.Close() // nobody is at its other end
	j.hand = h
	up := j.o.upOrder(j.selected)
	up.Notes = &j.notes
	r, err := h.do(ctx, order{Up: up})
	switch {
	case err != nil:
		j.problem(err)
	case r.Refused != nil:
		err := errors.New(r.Refused.Text)
		j.problem(err)
		h.close(err) // there is no lab to run anything in
	case r.Result.State != spec.Pass: // it started once
		j.rows = slices.DeleteFunc(j.rows, func(x spec.Result) bool { return x.Case == startRow })
		j.row(r.Result)
	}
}

// ask asks a question whose answer is a row of the report.
func (j *judgement) ask(ctx context.Context, a ask) {
	r, err := j.hand.do(ctx, order{Ask: a})
	if err != nil {
		return // who lost the worker has said so
	}
	if r.Used != nil && j.notes.Nth == 0 { // what a lost one used is not known
		j.used = *r.Used
	}
	if r.Result != nil {
		j.row(r.Result)
	}
}

func (j *judgement) row(r *spec.Result) {
	j.line(report.Line(*r))
	j.rows = append(j.rows, *r)
}

// problem notes what kept the run from being complete, once.
func (j *judgement) problem(err error) {
	if !slices.Contains(j.problems, err.Error()) {
		j.problems = append(j.problems, err.Error())
	}
}

// sayBlocking says what came of the part that a release waits for, as soon as it is
// known.
func (j *judgement) sayBlocking() {
	r := &report.Report{Cases: slices.Concat(j.rows, suite.Merge(j.judged)), Problems: j.problems}
	j.quarantine.Mark(r.Cases)
	r.Fill(spec.Profiles(), j.m.Claims)
	if b := r.Run.Blocking; b != nil {
		fmt.Fprintf(j.o.Stdout, "blocking part: %s after %s, %d cases\n", b.Result, time.Since(j.started).Round(100*time.Millisecond), b.Cases)
	}
}

// report is what was found, before scenarios are added to it.
func (j *judgement) report(ctx context.Context) *report.Report {
	merged := suite.Merge(j.judged)
	if !slices.ContainsFunc(merged, func(r spec.Result) bool { return r.State.Counts() != spec.Skipped }) {
		j.problem(errors.New("no case was judged")) // rows alone judge nothing
	}
	return &report.Report{
		Suite:   report.Suite{Version: SuiteVersion, Commit: commit(), Cases: suite.Digest(cases.All())},
		Gateway: gatewayIdentity(ctx, j.o, j.m),
		Run:     j.place.Run, Machine: j.place.Machine, Cases: slices.Concat(j.rows, merged), Problems: j.problems,
	}
}

// interrupted says how far a run came that was called off.
func (j *judgement) interrupted() string {
	ran := map[string]bool{}
	for _, r := range j.judged {
		ran[r.Case] = true
	}
	s := fmt.Sprintf("interrupted: %d of %d cases did not run", len(j.selected)-len(ran), len(j.selected))
	if j.o.Repeat > 1 {
		s += fmt.Sprintf(", and %d of %d times that cases were to run", len(j.selected)*j.o.Repeat-len(j.judged), len(j.selected)*j.o.Repeat)
	}
	return s
}

// write completes the report and writes its files.
func (j *judgement) write(ctx context.Context, r *report.Report) error {
	if ctx.Err() != nil {
		r.Problems = append(r.Problems, j.interrupted())
	}
	r.Run.Started, r.Run.Took, r.Run.Command, r.Run.Left = j.started, time.Since(j.started), shellLine(j.o.Command), len(cases.All())-len(j.selected)
	if err := j.o.reliability(r, j.quarantine); err != nil {
		r.Problems = append(r.Problems, err.Error())
	}
	r.Fill(spec.Profiles(), j.m.Claims)
	if b := r.Run.Blocking; ctx.Err() != nil && b != nil && b.Result == report.Success {
		b.Result = report.Partial // of some cases nothing is known
	}
	return r.Write(j.o.Out)
}
