package main

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/unilb/unilb/sim/check"
	"github.com/unilb/unilb/sim/lab"
	"github.com/unilb/unilb/sim/scenario"
)

// A teller prints what a run says: the story as progress, the verdict as result.
type teller struct {
	out *output
	err error // the first that printing met
}

// short is how many digits of a digest are printed.
const short = 12

func (t *teller) begin(o scenario.Order, s *scenario.Scenario) error {
	r := o.Run
	if t.out.json {
		return t.out.object("run", map[string]any{"scenario": r.Name, "seed": r.Seed, "lab": r.Lab, "dir": o.Dir, "digests": r.Digests, "gateway": r.Gateway})
	}
	gateway := "no gateway"
	if r.Gateway.Driver != "" {
		gateway = fmt.Sprintf("gateway %s (sha256 %.*s)", r.Gateway.Driver, short, r.Gateway.SHA256)
	}
	progress("run %s  seed %d  lab %s  %s", r.Name, r.Seed, r.Lab, gateway)
	progress("    plan %.*s  faults %.*s  traffic %.*s", short, r.Digests.Plan, short, r.Digests.Faults, short, r.Digests.Traffic)
	progress(" ✓ %-10s %-72s", "plan", fmt.Sprintf("%d nodes, %d links", len(s.Plan.Nodes), len(s.Plan.Links)))
	return nil
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
	if t.out.json {
		return t.out.object(l.Kind, l)
	}
	switch l.Kind {
	case scenario.LineStep:
		progress(" ✓ %-10s %-72s %8s  +%s", l.Name, l.Text, l.Took.Round(time.Millisecond), l.At.Round(10*time.Millisecond))
	case scenario.LineFailed:
		progress(" ✗ %-10s %s  +%s", l.Name, l.Text, l.At.Round(10*time.Millisecond))
	case scenario.LineJudged:
		progress(" ✓ %-10s %s", "judged", l.Text)
	case scenario.LineVerdict:
		return printVerdict(t.out, *l.Verdict)
	case scenario.LineProblem:
		progress("     problem  %s", l.Text)
	case scenario.LineResult:
		if l.Text != "" {
			progress("     failed   %s", l.Text)
		}
		return printResult(t.out, string(l.Result), l.Run, l.Rerun)
	}
	return nil
}

// printVerdict prints what a check says and, when it is bad, its first evidence.
func printVerdict(out *output, v check.Verdict) error {
	if out.json {
		return out.object("verdict", v)
	}
	_, err := fmt.Fprintf(out.to, "     %-8s %-18s %s\n", v.State, v.Check, v.Summary)
	if v.State == check.Invalid && len(v.Evidence) > 0 && err == nil {
		e := v.Evidence[0]
		what := "first"
		if e.Op != "" {
			what = "first: op " + e.Op
		}
		_, err = fmt.Fprintf(out.to, "              %s at +%s: %s\n", what, e.At.Round(time.Microsecond), e.Text)
	}
	return err
}

func printResult(out *output, result, dir, rerun string) error {
	if out.json {
		return out.object("result", map[string]string{"result": result, "run": dir, "rerun": rerun})
	}
	_, err := fmt.Fprintf(out.to, "%s   %s   %s\n", result, dir, rerun)
	return err
}
