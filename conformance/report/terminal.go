package report

import (
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/unilb/unilb/conformance/spec"
)

var marks = map[spec.State]string{
	spec.Pass: "✓", spec.Warn: "!", spec.Fail: "✗", spec.Skip: "-", spec.Unsupported: "-", spec.Unproven: "?", spec.Unknown: "?", spec.Broken: "#",
}

// Line is one result as a terminal shows it while the suite runs.
func Line(r spec.Result) string {
	mark, ok := marks[r.State]
	if !ok {
		mark = "#"
	}
	s := fmt.Sprintf(" %s %-11s %-28s %7s", mark, r.State, r.Case, r.Took.Round(time.Millisecond))
	switch {
	case len(r.Says) > 0:
		s += "  " + r.Says[0]
	case r.Reason != nil:
		s += "  " + because(*r.Reason)
	}
	return s
}

func because(r spec.Reason) string {
	s := string(r.Code)
	switch r.Code {
	case spec.Machine:
		s = fmt.Sprintf("machine lacks %v", r.Lacks)
	case spec.Unclaimed:
		s = fmt.Sprintf("does not claim %v", r.Needs)
	case spec.After:
		s = "builds on " + r.Case
	case spec.Interrupted:
		s = "interrupted"
	case spec.Excluded:
		s = "excluded, see " + r.Ticket
	}
	return s
}

// Summary writes what a reader must know at the end. Its last line is exactly
// "N passed, N failed, N skipped", over cases and scenarios.
func (r *Report) Summary(w io.Writer) error {
	p := &printer{w: w}
	p.f("\n%s %s judged in %s\n", r.Gateway.Name, r.Gateway.Version, r.Run.Took.Round(100*time.Millisecond))
	for _, pr := range r.Profiles {
		p.f("  %-8s %-14s %s\n", pr.Result, pr.Name, pr.Summary)
	}
	if len(r.Scenarios) > 0 {
		var t Tally
		for _, s := range r.Scenarios {
			t.add(s.State)
		}
		p.f("  %-8s %-14s %d of %d scenarios passed.\n", t.result(), "scenarios", t.Passed+t.Warned, t.total())
	}
	for _, pr := range r.Profiles {
		if len(pr.Unclaimed) > 0 {
			p.f("  undecided: %s needs %v, which driver %s does not claim\n", pr.Name, pr.Unclaimed, r.Gateway.Driver)
		}
	}
	for _, x := range r.Problems {
		p.f("  problem: %s\n", x)
	}
	for _, res := range slices.Concat(r.Cases, r.Scenarios) {
		if res.State.Counts() != spec.Failed {
			continue
		}
		p.f("\n%s\n    %s\n", Line(res), res.Title)
		for _, s := range res.Says[min(1, len(res.Says)):] { // the first one is in the line above
			p.f("    %s\n", s)
		}
		if res.Rerun != "" {
			p.f("    again: %s\n", res.Rerun)
		}
	}
	p.f("\n%d passed, %d failed, %d skipped\n", r.Counts.Passed, r.Counts.Failed, r.Counts.Skipped)
	return p.err
}

// printer remembers the first error of many writes.
type printer struct {
	w   io.Writer
	err error
}

func (p *printer) f(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format, args...)
	}
}
