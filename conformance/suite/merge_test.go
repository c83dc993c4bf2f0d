package suite

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/unilb/unilb/conformance/spec"
)

func TestMergeLetsTheWorstRunSpeakAndLabelsWhatDiffers(t *testing.T) {
	of := func(states ...spec.State) spec.Result {
		var rs []spec.Result
		for i, s := range states {
			r := spec.Result{Case: "A-X", State: s, Took: time.Duration(i+1) * time.Second}
			if s != spec.Pass {
				r.Says = []string{string(s) + " said"}
			}
			rs = append(rs, r)
		}
		out := Merge(rs)
		if len(out) != 1 {
			t.Fatalf("%v: got %d results, want 1", states, len(out))
		}
		return out[0]
	}
	for name, c := range map[string]struct {
		r      spec.Result
		state  spec.State
		passed int
		flaky  bool
	}{
		"all pass":              {of(spec.Pass, spec.Pass, spec.Pass), spec.Pass, 3, false},
		"one red in three":      {of(spec.Pass, spec.Fail, spec.Pass), spec.Fail, 2, true},
		"red, then green":       {of(spec.Fail, spec.Pass), spec.Fail, 1, true},
		"always red":            {of(spec.Fail, spec.Fail), spec.Fail, 0, false},
		"red before broken":     {of(spec.Broken, spec.Fail), spec.Fail, 0, false},
		"broken once":           {of(spec.Pass, spec.Broken), spec.Broken, 1, true},
		"undecided once":        {of(spec.Unknown, spec.Pass), spec.Unknown, 1, true},
		"not met now and then":  {of(spec.Pass, spec.Warn), spec.Warn, 1, true},
		"skipped":               {of(spec.Skip, spec.Skip), spec.Skip, 0, false},
		"a skip says nothing":   {of(spec.Pass, spec.Skip), spec.Skip, 1, false},
		"something new is bad":  {of(spec.Pass, "splendid"), "splendid", 1, true},
		"unproven after a pass": {of(spec.Pass, spec.Unproven), spec.Unproven, 1, true},
	} {
		if c.r.State != c.state || c.r.Passed != c.passed || c.r.Flaky != c.flaky {
			t.Errorf("%s: got %s, %d passed, flaky %v, want %s, %d, %v", name, c.r.State, c.r.Passed, c.r.Flaky, c.state, c.passed, c.flaky)
		}
	}
	r := of(spec.Pass, spec.Fail, spec.Pass)
	if r.Runs != 3 || r.Took != 2*time.Second || !slices.Equal(r.Says, []string{"flaky: passed in 2 of 3 runs; run 2 says:", "fail said"}) {
		t.Errorf("got %d runs of %s, says %q", r.Runs, r.Took, r.Says)
	}
	if r := of(spec.Fail); r.Runs != 0 || r.Flaky || len(r.Says) != 1 {
		t.Errorf("a single run is changed: %+v", r)
	}
	cut := Merge([]spec.Result{{Case: "A-X", State: spec.Pass}, {Case: "A-X", State: spec.Broken, Reason: &spec.Reason{Code: spec.Interrupted}}})[0]
	if cut.State != spec.Broken || cut.Flaky {
		t.Errorf("interrupted: got %s, flaky %v, want broken and not flaky", cut.State, cut.Flaky)
	}
}

func TestCoreCasesRunFirst(t *testing.T) {
	var order []string
	note := func(s string) func(context.Context, *spec.T) {
		return func(context.Context, *spec.T) { order = append(order, s) }
	}
	extended := func(c *spec.Case) { c.Needs = []spec.Feature{spec.AdminIfMatch} }
	rs, err := Run(t.Context(), bare{}, Options{
		Claims: []spec.Feature{spec.RouteURI, spec.AdminIfMatch},
		Cases:  []spec.Case{aCase("A-EXT", note("e"), extended), aCase("A-ONE", note("1")), aCase("A-TWO", note("2"))},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(order, " "); got != "1 2 e" || len(rs) != 3 || !rs[1].Blocking || rs[2].Blocking {
		t.Errorf("got %s with %+v, want 1 2 e, of which two block", got, rs)
	}
}

func TestChallengeRunsWhatIsNotClaimedAndCountsNothing(t *testing.T) {
	unclaimed := func(c *spec.Case) { c.Needs = []spec.Feature{spec.AdminIfMatch} }
	for challenge, want := range map[bool]map[string]spec.State{
		false: {"A-SURPRISE": "", "A-EXPECTED": "", "A-ON-TOP": ""},
		true:  {"A-SURPRISE": spec.Pass, "A-EXPECTED": spec.Fail, "A-ON-TOP": spec.Pass},
	} {
		got := runAll(t, Options{Challenge: challenge}, aCase("A-SURPRISE", pass, unclaimed), aCase("A-EXPECTED", fail, unclaimed), aCase("A-ON-TOP", pass, unclaimed, after("A-SURPRISE")))
		for id, state := range want {
			r := got[id]
			if r.State != spec.Unsupported || r.Reason == nil || r.Reason.Code != spec.Unclaimed || r.Challenge != state {
				t.Errorf("challenge %v: %s: got %s %+v challenge %q, want unsupported, unclaimed, %q", challenge, id, r.State, r.Reason, r.Challenge, state)
			}
		}
	}
}
