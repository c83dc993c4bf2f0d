package suite

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/check"
	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/traffic"
)

// bare is a place that offers nothing but a recorder.
type bare struct {
	spec.Env // nil: what is not below must not be called
	has      []spec.Capability
}

func (b bare) Has(c spec.Capability) bool         { return slices.Contains(b.has, c) }
func (bare) Gateways() []spec.Gateway             { return nil }
func (bare) Clients() []traffic.Client            { return nil }
func (bare) Admin() spec.Endpoint                 { return spec.Endpoint{} }
func (bare) API() spec.Endpoint                   { return spec.Endpoint{} }
func (bare) EIPs() []spec.EIP                     { return nil }
func (bare) Recorder() *history.Recorder          { return history.NewRecorder(history.NewClock()) }
func (bare) Facts() check.Facts                   { return check.Facts{} }
func (bare) Applied(context.Context, int64) error { return nil }
func (bare) Closed(context.Context) (netip.AddrPort, error) {
	return netip.AddrPort{}, errors.New("none")
}
func (bare) Start(context.Context, spec.Want) ([]spec.Backend, error) {
	return nil, errors.New("no backends here")
}

func aCase(id string, run func(context.Context, *spec.T), edit ...func(*spec.Case)) spec.Case {
	c := spec.Case{ID: id, Title: "It holds.", Refs: []string{"x"}, Level: spec.Must, Needs: []spec.Feature{spec.RouteURI}, Run: run}
	for _, e := range edit {
		e(&c)
	}
	return c
}

func pass(context.Context, *spec.T)        {}
func fail(_ context.Context, t *spec.T)    { t.Check(false, "got 1, want 2") }
func after(ids ...string) func(*spec.Case) { return func(c *spec.Case) { c.After = ids } }

func runAll(t *testing.T, o Options, cases ...spec.Case) map[string]spec.Result {
	t.Helper()
	o.Cases = cases
	if o.Claims == nil {
		o.Claims = []spec.Feature{spec.RouteURI}
	}
	rs, err := Run(t.Context(), bare{}, o)
	if err != nil {
		t.Fatal(err)
	}
	if len(rs) != len(cases) {
		t.Fatalf("got %d results for %d cases", len(rs), len(cases))
	}
	m := map[string]spec.Result{}
	for _, r := range rs {
		m[r.Case] = r
	}
	return m
}

func TestEveryWayToEndGivesItsState(t *testing.T) {
	got := runAll(t, Options{Excluded: map[string]string{"A-EXCLUDED": "T-1"}, Require: []spec.Capability{spec.EBPF}, Evidence: t.TempDir()},
		aCase("A-PASS", pass),
		aCase("A-FAIL", fail),
		aCase("A-FATAL", func(_ context.Context, t *spec.T) { t.Fatalf("stop"); t.Check(false, "went on") }),
		aCase("A-WARN", fail, func(c *spec.Case) { c.Level = spec.Should }),
		aCase("A-PANIC", func(context.Context, *spec.T) { panic("boom") }),
		aCase("A-BROKEN", func(_ context.Context, t *spec.T) { t.Check(false, "x"); t.Brokenf("no disk") }),
		aCase("A-UNKNOWN", func(_ context.Context, t *spec.T) { t.Verdicts(check.Verdict{}) }),
		aCase("A-INVALID", func(_ context.Context, t *spec.T) { t.Verdicts(check.Verdict{State: check.Invalid, Summary: "bad"}) }),
		aCase("A-NO-BACKENDS", pass, func(c *spec.Case) { c.Backends = 1 }),
		aCase("A-DIRTY", func(_ context.Context, t *spec.T) {
			t.Cleanup(func(context.Context) error { return errors.New("stuck") })
		}),
		aCase("A-CLEANUP-PANIC", func(_ context.Context, t *spec.T) { t.Cleanup(func(context.Context) error { panic("oh") }) }),
		aCase("A-UNCLAIMED", pass, func(c *spec.Case) { c.Needs = append(c.Needs, spec.VPCTargets) }),
		aCase("A-MACHINE", pass, func(c *spec.Case) { c.Env = []spec.Capability{spec.VPC} }),
		aCase("A-REQUIRED", pass, func(c *spec.Case) { c.Env = []spec.Capability{spec.EBPF} }),
		aCase("A-EXCLUDED", pass),
		aCase("A-AFTER-FAIL", pass, after("A-PASS", "A-FAIL")),
		aCase("A-AFTER-SKIP", pass, after("A-MACHINE")),
		aCase("A-AFTER-WARN", pass, after("A-WARN")),
	)
	for id, want := range map[string]struct {
		state spec.State
		says  string
	}{
		"A-PASS": {spec.Pass, ""}, "A-FAIL": {spec.Fail, "got 1, want 2"}, "A-FATAL": {spec.Fail, "stop"}, "A-WARN": {spec.Warn, "got 1"},
		"A-PANIC": {spec.Broken, "panicked: boom"}, "A-BROKEN": {spec.Broken, "no disk"}, "A-UNKNOWN": {spec.Unknown, "unknown"},
		"A-INVALID": {spec.Fail, "bad"}, "A-NO-BACKENDS": {spec.Broken, "no backends here"}, "A-DIRTY": {spec.Broken, "clean up: stuck"},
		"A-CLEANUP-PANIC": {spec.Broken, "panic: oh"}, "A-UNCLAIMED": {spec.Unsupported, ""}, "A-MACHINE": {spec.Skip, ""}, "A-REQUIRED": {spec.Broken, ""},
		"A-EXCLUDED": {spec.Skip, ""}, "A-AFTER-FAIL": {spec.Unproven, ""}, "A-AFTER-SKIP": {spec.Skip, ""}, "A-AFTER-WARN": {spec.Pass, ""},
	} {
		r := got[id]
		if says := strings.Join(r.Says, "\n"); r.State != want.state || !strings.Contains(says, want.says) || strings.Contains(says, "went on") {
			t.Errorf("%s: got %s %q, want %s with %q", id, r.State, says, want.state, want.says)
		}
		if (r.State.Counts() == spec.Skipped || r.State == spec.Unproven || id == "A-REQUIRED") != (r.Reason != nil) {
			t.Errorf("%s: %s with reason %+v", id, r.State, r.Reason)
		}
	}
	if ev := got["A-PANIC"].Evidence; len(ev) != 1 {
		t.Errorf("the panic's stack is not kept: %v", ev)
	} else if b, err := os.ReadFile(ev[0]); err != nil || !strings.Contains(string(b), "run_test.go") {
		t.Errorf("stack: %v %s", err, b)
	}
}

func TestLateCaseIsLeftBehindAndTheNextOneRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		got := runAll(t, Options{},
			aCase("A-STUCK", func(_ context.Context, t *spec.T) { <-release; t.Check(false, "too late to tell") }, func(c *spec.Case) { c.Timeout = time.Second }),
			aCase("A-SLOW", func(ctx context.Context, _ *spec.T) { <-ctx.Done() }, func(c *spec.Case) { c.Timeout = time.Second }),
			aCase("A-NEXT", pass),
		)
		close(release)
		synctest.Wait()
		if r := got["A-STUCK"]; r.State != spec.Fail || r.Reason == nil || r.Reason.Code != spec.Timeout || strings.Contains(strings.Join(r.Says, ""), "too late") {
			t.Errorf("stuck: %+v", r)
		}
		if r := got["A-STUCK"]; r.Took != time.Second+DefaultGrace {
			t.Errorf("stuck: took %s", r.Took)
		}
		if r := got["A-SLOW"]; r.State != spec.Fail || !strings.Contains(r.Says[0], "not done within 1s") {
			t.Errorf("slow: %+v", r)
		}
		if got["A-NEXT"].State != spec.Pass {
			t.Errorf("next: %+v", got["A-NEXT"])
		}
	})
}

func TestInterruptedRunAccusesNobodyAndGivesEveryCaseAResult(t *testing.T) {
	for name, says := range map[string]func(*spec.T){
		"nothing":   func(*spec.T) {},
		"a failure": func(t *spec.T) { t.Check(false, "no answer") },
		"the end":   func(t *spec.T) { t.Fatalf("no answer") },
		"a doubt":   func(t *spec.T) { t.Undecided("too thin") },
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			undone := false
			rs, err := Run(ctx, bare{}, Options{Claims: []spec.Feature{spec.RouteURI}, Cases: []spec.Case{
				aCase("A-FIRST", func(_ context.Context, t *spec.T) {
					t.Cleanup(func(ctx context.Context) error { undone = ctx.Err() == nil; return nil })
					cancel()
					says(t)
				}),
				aCase("A-SECOND", pass, after("A-FIRST")),
			}})
			if err != nil || len(rs) != 2 {
				t.Fatalf("got %+v, %v", rs, err)
			}
			for _, r := range rs {
				if r.State != spec.Broken || r.Reason == nil || r.Reason.Code != spec.Interrupted {
					t.Errorf("%s: got %s, %+v, want broken (interrupted)", r.Case, r.State, r.Reason)
				}
			}
			if rs[0].Says[0] != "interrupted" || rs[1].Says[0] != "not run" {
				t.Errorf("got %q and %q", rs[0].Says, rs[1].Says)
			}
			if !undone {
				t.Error("the cleanup got a context that was over")
			}
		})
	}
}

func TestInterruptedCaseThatDoesNotListenIsLeftAfterTheGrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		release := make(chan struct{})
		rs, err := Run(ctx, bare{}, Options{Claims: []spec.Feature{spec.RouteURI}, Cases: []spec.Case{
			aCase("A-DEAF", func(context.Context, *spec.T) { cancel(); <-release }, func(c *spec.Case) { c.Timeout = time.Hour }),
		}})
		close(release)
		if err != nil || rs[0].State != spec.Broken || rs[0].Reason.Code != spec.Interrupted || rs[0].Took != DefaultGrace {
			t.Errorf("got %+v, %v", rs, err)
		}
	})
}

func TestCleanupsRunLastFirst(t *testing.T) {
	var order []string
	runAll(t, Options{}, aCase("A-CASE", func(_ context.Context, t *spec.T) {
		for _, s := range []string{"a", "b", "c"} {
			t.Cleanup(func(context.Context) error { order = append(order, s); return nil })
		}
		t.Fatalf("also after a failure")
	}))
	if got := strings.Join(order, ""); got != "cba" {
		t.Errorf("got %s, want cba", got)
	}
}

func TestCasesRunAfterWhatTheyBuildOn(t *testing.T) {
	var order []string
	note := func(s string) func(context.Context, *spec.T) {
		return func(context.Context, *spec.T) { order = append(order, s) }
	}
	runAll(t, Options{}, aCase("A-THREE", note("3"), after("A-TWO")), aCase("A-ONE", note("1")), aCase("A-TWO", note("2"), after("A-ONE")))
	if got := strings.Join(order, ""); got != "123" {
		t.Errorf("got %s, want 123", got)
	}
}

func TestBadListsAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		cases []spec.Case
		want  string
	}{
		"twice":            {[]spec.Case{aCase("A-X", pass), aCase("A-X", pass)}, "used twice"},
		"cycle":            {[]spec.Case{aCase("A-X", pass, after("A-Y")), aCase("A-Y", pass, after("A-X"))}, "builds on itself"},
		"unknown after":    {[]spec.Case{aCase("A-X", pass, after("A-Z"))}, "A-Z, which is not a case"},
		"bad id":           {[]spec.Case{aCase("lower", pass)}, "an id is words"},
		"no run":           {[]spec.Case{aCase("A-X", nil)}, "a Run"},
		"no profile":       {[]spec.Case{aCase("A-X", pass, func(c *spec.Case) { c.Needs = []spec.Feature{"new.thing"} })}, "no profile holds new.thing"},
		"unknown level":    {[]spec.Case{aCase("A-X", pass, func(c *spec.Case) { c.Level = "" })}, "unknown level"},
		"names no feature": {[]spec.Case{aCase("A-X", pass, func(c *spec.Case) { c.Needs = nil })}, "names no feature"},
	} {
		if _, err := Run(t.Context(), bare{}, Options{Cases: c.cases}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want an error with %q", name, err, c.want)
		}
	}
}

func TestSelectTakesDependenciesAndRefusesTypos(t *testing.T) {
	all := []spec.Case{aCase("A-ONE", pass), aCase("A-TWO", pass, after("A-ONE")), aCase("B-THREE", pass, after("A-TWO")), aCase("B-FOUR", pass)}
	got, err := Select(all, []string{"B-TH*"})
	if err != nil || len(got) != 3 {
		t.Errorf("got %d cases, %v, want B-THREE and the two it builds on", len(got), err)
	}
	if _, err := Select(all, []string{"B-TREE"}); err == nil {
		t.Error("a pattern that matches nothing was taken")
	}
	if Digest(all) == Digest(got) {
		t.Error("the digest does not tell lists apart")
	}
}

func TestChoiceFiltersAndRefusesWordsThatMeanNothing(t *testing.T) {
	should := func(c *spec.Case) { c.Level = spec.Should }
	match := func(c *spec.Case) { c.Needs = []spec.Feature{spec.AdminIfMatch} }
	all := []spec.Case{aCase("A-ONE", pass), aCase("A-TWO", pass, should, after("A-ONE")), aCase("B-ONE", pass, match, after("A-TWO"))}
	profile := spec.ProfileOf(all[2])
	for name, c := range map[string]struct {
		w        Choice
		of, base string
		err      string
	}{
		"all":             {Choice{}, "A-ONE A-TWO B-ONE", "A-ONE A-TWO B-ONE", ""},
		"pattern":         {Choice{Patterns: []string{"*-TWO"}}, "A-TWO", "A-ONE A-TWO", ""},
		"profile":         {Choice{Profiles: []string{strings.ToLower(profile)}}, "B-ONE", "A-ONE A-TWO B-ONE", ""},
		"feature":         {Choice{Features: []string{string(spec.AdminIfMatch), string(spec.VPCTargets)}}, "B-ONE", "A-ONE A-TWO B-ONE", ""},
		"level and id":    {Choice{Levels: []string{"should"}, Patterns: []string{"A-*"}}, "A-TWO", "A-ONE A-TWO", ""},
		"blocking":        {Choice{Blocking: true}, "A-ONE A-TWO", "A-ONE A-TWO", ""},
		"nothing is left": {Choice{Levels: []string{"may"}}, "", "", ""},
		"profile typo":    {Choice{Profiles: []string{"L7-ROTING"}}, "", "", `unknown profile "L7-ROTING" (did you mean "L7-ROUTING"?)`},
		"feature typo":    {Choice{Features: []string{"route.hots"}}, "", "", `did you mean "route.host"?`},
		"level typo":      {Choice{Levels: []string{"MUST"}}, "", "", `did you mean "must"?`},
		"id typo":         {Choice{Patterns: []string{"A-TOW"}}, "", "", `"A-TOW" matches no case (did you mean "A-TWO"?)`},
	} {
		for _, k := range []struct {
			from func([]spec.Case) ([]spec.Case, error)
			want string
		}{{c.w.Of, c.of}, {c.w.WithBase, c.base}} {
			got, err := k.from(all)
			if strings.Join(idsOf(got), " ") != k.want || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
				t.Errorf("%s: got %v, %v, want %q, %q", name, idsOf(got), err, k.want, c.err)
			}
		}
	}
}

func TestCleanUpThatNeverEndsHoldsUpNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		got := runAll(t, Options{}, aCase("A-STUCK", func(_ context.Context, t *spec.T) {
			t.Cleanup(func(context.Context) error { <-release; return nil })
		}), aCase("A-NEXT", pass))
		close(release)
		if r := got["A-STUCK"]; r.State != spec.Broken || !strings.Contains(strings.Join(r.Says, " "), "not done within 1m0s") {
			t.Errorf("stuck: got %s, %q", r.State, r.Says)
		}
		if r := got["A-NEXT"]; r.State != spec.Pass {
			t.Errorf("the next one: got %s", r.State)
		}
	})
}
