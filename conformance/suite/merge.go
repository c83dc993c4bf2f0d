package suite

import (
	"fmt"
	"time"

	"github.com/unilb/unilb/conformance/spec"
)

// Merge makes one result of all results of a case, in the order in which cases
// first appear. The worst one speaks for all of them: a pass never takes back a
// failure. Runs and Passed count, and a case that passed in some runs and not in
// others is flaky.
func Merge(results []spec.Result) []spec.Result {
	of := map[string][]spec.Result{}
	var order []string
	for _, r := range results {
		if of[r.Case] == nil {
			order = append(order, r.Case)
		}
		of[r.Case] = append(of[r.Case], r)
	}
	out := make([]spec.Result, 0, len(order))
	for _, id := range order {
		out = append(out, merged(of[id]))
	}
	return out
}

func merged(runs []spec.Result) spec.Result {
	if len(runs) == 1 {
		return runs[0]
	}
	worst, passed, decided := 0, 0, 0
	var took time.Duration
	for i, r := range runs {
		took += r.Took
		if badness(r) > badness(runs[worst]) {
			worst = i
		}
		if interrupted(r) || outcome(r).Counts() == spec.Skipped {
			continue // says nothing about the case
		}
		decided++
		if outcome(r) == spec.Pass {
			passed++
		}
	}
	m := runs[worst]
	m.Runs, m.Passed, m.Took = len(runs), passed, took/time.Duration(len(runs))
	m.Flaky = passed > 0 && passed < decided
	if m.Flaky {
		m.Says = append([]string{fmt.Sprintf("flaky: passed in %d of %d runs; run %d says:", passed, decided, worst+1)}, m.Says...)
	}
	return m
}

// outcome is what became of the case, claimed or not.
func outcome(r spec.Result) spec.State {
	if r.Challenge != "" {
		return r.Challenge
	}
	return r.State
}

func interrupted(r spec.Result) bool { return r.Reason != nil && r.Reason.Code == spec.Interrupted }

// badness orders states: what speaks against the gateway, then what leaves it
// undecided, then what was not run, then the rest. What this does not know is as
// bad as a broken harness.
func badness(r spec.Result) int {
	switch outcome(r) {
	case spec.Pass:
		return 0
	case spec.Warn:
		return 1
	case spec.Unsupported, spec.Skip:
		return 2
	case spec.Unproven:
		return 3
	case spec.Unknown:
		return 4
	case spec.Fail:
		return 6
	}
	return 5
}
