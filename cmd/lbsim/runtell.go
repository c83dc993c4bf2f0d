package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/unilb/unilb/sim/bundle"
	"github.com/unilb/unilb/sim/lab"
	"github.com/unilb/unilb/sim/scenario"
)

// A teller prints what a run says: the story as progress, the verdict as result.
type teller struct {
	out      *output
	problems []string // the testbed's own, for the result
	err      error    // the first that printing met
}

// short is how many digits of a digest are printed.
const short = 12

func (t *teller) begin(o scenario.Order, s *scenario.Scenario) error {
	r := o.Run
	if t.out.json {
		return printRun(t.out, &bundle.Bundle{Dir: o.Dir}, r, "")
	}
	progress("run %s  seed %d  lab %s  gateway %s", r.Name, r.Seed, r.Lab, gateways(r))
	progress("    plan %.*s  faults %.*s  traffic %.*s", short, r.Digests.Plan, short, r.Digests.Faults, short, r.Digests.Traffic)
	progress(" ✓ %-10s %-72s", "plan", fmt.Sprintf("%d nodes, %d links", len(s.Plan.Nodes), len(s.Plan.Links)))
	return nil
}

// gateways names the builds under test.
func gateways(r bundle.Run) string {
	var out []string
	for _, g := range r.Gateways {
		out = append(out, fmt.Sprintf("%s (sha256 %.*s)", g.Driver, short, g.SHA256))
	}
	if len(out) == 0 {
		return "none"
	}
	return strings.Join(out, ", ")
}

// step prints a part of bringing the lab up.
func (t *teller) step(s lab.Step) {
	progress(" ✓ %-10s %-72s %8s", s.Name, s.Text, s.Took.Round(time.Millisecond))
}

// line prints a line of the job.
func (t *teller) line(raw json.RawMessage) {
	var l scenario.Line
	err := json.Unmarshal(raw, &l)
	if err == nil {
		err = t.print(l)
	}
	if t.err == nil && err != nil {
		t.err = fmt.Errorf("print the run: %w", err)
	}
}

func (t *teller) print(l scenario.Line) error {
	switch l.Kind {
	case scenario.LineVerdict:
		return printVerdict(t.out, *l.Verdict)
	case scenario.LineProblem:
		t.problems = append(t.problems, l.Text)
		return nil
	case scenario.LineResult:
		v := bundle.Verdict{Result: l.Result, Interrupted: l.Interrupted, Failed: l.Text, Problems: t.problems, Rerun: l.Rerun}
		return printResult(t.out, &bundle.Bundle{Dir: l.Run}, v, nil)
	}
	if t.out.json {
		return t.out.object(l.Kind, struct {
			Name string        `json:"name"`
			Text string        `json:"text"`
			At   time.Duration `json:"at"` // on the run's clock
			Took time.Duration `json:"took"`
		}{l.Name, l.Text, l.At, l.Took})
	}
	switch l.Kind {
	case scenario.LineStep:
		progress(" ✓ %-10s %-72s %8s  +%s", l.Name, l.Text, l.Took.Round(time.Millisecond), l.At.Round(10*time.Millisecond))
	case scenario.LineFailed:
		progress(" ✗ %-10s %s  +%s", l.Name, l.Text, l.At.Round(10*time.Millisecond))
	case scenario.LineJudged:
		progress(" ✓ %-10s %s", "judged", l.Text)
	}
	return nil
}
