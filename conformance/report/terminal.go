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
	for _, label := range labels(r) {
		s += "  [" + label + "]"
	}
	switch {
	case len(r.Says) > 0:
		s += "  " + r.Says[0]
	case r.Reason != nil:
		s += "  " + because(*r.Reason)
	}
	return s
}

// labels are what a reader must know beside the state.
func labels(r spec.Result) []string {
	var out []string
	if r.Flaky {
		out = append(out, "flaky")
	}
	if r.Quarantine != nil {
		out = append(out, "quarantined")
	}
	if r.Challenge != "" {
		out = append(out, "challenged: "+string(r.Challenge))
	}
	return out
}

func quarantined(q spec.Quarantine) string {
	return fmt.Sprintf("%s; since %s, until %s", q.Reason, q.Since, q.Expires)
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
		p.f("  %-9s %-14s %s\n", pr.Result, pr.Name, pr.Summary)
	}
	if len(r.Scenarios) > 0 {
		var t Tally
		for _, s := range r.Scenarios {
			t.add(s)
		}
		p.f("  %-9s %-14s %d of %d scenarios passed.\n", t.result(), "scenarios", t.Passed+t.Warned, t.total())
	}
	if b := r.Run.Blocking; b != nil {
		p.f("  %-9s %-14s %d cases of core features, known after %s.\n", b.Result, "blocking part", b.Cases, b.Took.Round(100*time.Millisecond))
	}
	r.doubts(p)
	for _, res := range slices.Concat(r.Cases, r.Scenarios) {
		if res.Counts() != spec.Failed && (res.Quarantine == nil || res.State.Counts() != spec.Failed) {
			continue
		}
		p.f("\n%s\n    %s\n", Line(res), res.Title)
		for _, s := range res.Says[min(1, len(res.Says)):] { // the first one is in the line above
			p.f("    %s\n", s)
		}
		if res.Quarantine != nil {
			p.f("    in quarantine, does not block: %s\n", quarantined(*res.Quarantine))
		}
		if res.Rerun != "" {
			p.f("    again: %s\n", res.Rerun)
		}
	}
	p.f("\n%s: %s\n%d passed, %d failed, %d skipped\n", r.Verdict, r.Meaning(), r.Counts.Passed, r.Counts.Failed, r.Counts.Skipped)
	return p.err
}

// doubts writes what keeps the result from being whole.
func (r *Report) doubts(p *printer) {
	for _, pr := range r.Profiles {
		if len(pr.Unclaimed) > 0 {
			p.f("  undecided: %s needs %v, which driver %s does not claim\n", pr.Name, pr.Unclaimed, r.Gateway.Driver)
		}
	}
	for _, x := range r.Surprises {
		p.f("  surprise: %s\n", x)
	}
	for _, x := range r.Problems {
		p.f("  problem: %s\n", x)
	}
}

// Meaning is the verdict in a sentence, without its end.
func (r *Report) Meaning() string {
	switch {
	case r.Verdict == Wrong:
		n := 0
		for _, res := range slices.Concat(r.Cases, r.Scenarios) {
			if res.State == spec.Fail && res.Counts() == spec.Failed {
				n++
			}
		}
		if rest := r.Counts.Failed - n; rest > 0 {
			return fmt.Sprintf("%d failed, and %d without a verdict", n, rest)
		}
		return fmt.Sprintf("%d failed", n)
	case r.Verdict == Undecided && r.Counts.Failed > 0:
		return fmt.Sprintf("%d without a verdict, which is no fault of the gateway", r.Counts.Failed)
	case r.Verdict == Undecided:
		return "not all was judged that must be"
	case r.Result == Partial && r.Run.Left > 0:
		return fmt.Sprintf("what was judged holds; %d not judged and %d not asked for, so the result is partial", r.Counts.Skipped, r.Run.Left)
	case r.Result == Partial:
		return fmt.Sprintf("what was judged holds; %d not judged, so the result is partial", r.Counts.Skipped)
	}
	return "everything that is claimed holds"
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
