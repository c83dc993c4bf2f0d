package main

import (
	"fmt"
	"time"

	"github.com/unilb/unilb/sim/bundle"
	"github.com/unilb/unilb/sim/check"
)

// A runObject is a run in JSON, whichever verb speaks of it.
type runObject struct {
	ID  string `json:"run"` // what verbs take: <scenario>/<time>-<seed>
	Dir string `json:"dir"`
	bundle.Run
	Result bundle.Result `json:"result,omitempty"` // empty: it has no verdict
}

func printRun(out *output, b *bundle.Bundle, r bundle.Run, result bundle.Result) error {
	return out.object("run", runObject{b.Name(), b.Dir, r, result})
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

// printResult prints what came of a run, beside its verdicts. Notes say what was
// edited by hand since.
func printResult(out *output, b *bundle.Bundle, v bundle.Verdict, notes []string) error {
	if out.json {
		return out.object("result", map[string]any{
			"run": b.Name(), "dir": b.Dir, "result": v.Result, "interrupted": v.Interrupted, "failed": v.Failed,
			"problems": append([]string{}, v.Problems...), "notes": append([]string{}, notes...), "rerun": v.Rerun,
		})
	}
	for _, p := range v.Problems {
		_, _ = fmt.Fprintf(out.to, "     problem  %s\n", p)
	}
	if v.Failed != "" {
		_, _ = fmt.Fprintf(out.to, "     failed   %s\n", v.Failed)
	}
	_, err := fmt.Fprintf(out.to, "%s   %s   %s\n", v.Result, b.Dir, v.Rerun)
	return err
}

// printJudged prints all that was said of a run.
func printJudged(out *output, b *bundle.Bundle, v bundle.Verdict, notes []string) error {
	for _, one := range v.Verdicts {
		if err := printVerdict(out, one); err != nil {
			return err
		}
	}
	return printResult(out, b, v, notes)
}
