package main

import (
	"strings"
	"testing"

	"github.com/unilb/unilb/tools/bench/load"
)

func ratioOf(median, low, high float64) Ratio {
	return Ratio{Median: median, Low: low, High: high, Minima: median, Rounds: 6}
}

// steady is evidence of a quiet run.
func steady(cpuNginx, cpuHAProxy float64) Evidence {
	aa := ratioOf(1, 0.97, 1.03)
	return Evidence{Rounds: leastRounds, Noise: 0.2, AA: &aa, Measured: map[string]Ratio{
		cpuVsNginx:   ratioOf(cpuNginx, cpuNginx-0.02, cpuNginx+0.02),
		cpuVsHAProxy: ratioOf(cpuHAProxy, cpuHAProxy-0.02, cpuHAProxy+0.02),
	}}
}

func TestVerdicts(t *testing.T) {
	for name, c := range map[string]struct {
		evidence func() Evidence
		want     Verdict
		why      string
	}{
		"within both targets":         {func() Evidence { return steady(0.80, 0.70) }, Met, ""},
		"beyond the first":            {func() Evidence { return steady(0.81, 0.60) }, Missed, "cpu_vs_nginx is 0.81"},
		"beyond the second":           {func() Evidence { return steady(0.75, 0.71) }, Missed, "cpu_vs_haproxy is 0.71"},
		"too few rounds":              {func() Evidence { e := steady(0.5, 0.5); e.Rounds = 10; return e }, Undecided, "10 rounds"},
		"too noisy, however good":     {func() Evidence { e := steady(0.5, 0.5); e.Noise = 0.51; return e }, Undecided, "too noisy"},
		"too noisy, however bad":      {func() Evidence { e := steady(5, 5); e.Noise = 0.51; return e }, Undecided, "too noisy"},
		"noise at its bound":          {func() Evidence { e := steady(0.5, 0.5); e.Noise = 0.5; return e }, Met, ""},
		"no control":                  {func() Evidence { e := steady(0.5, 0.5); e.AA = nil; return e }, Undecided, "no control"},
		"an unsteady control":         {func() Evidence { return unsteadyControl(0.7, 0.6) }, Undecided, "against itself"},
		"far off, unsteady control":   {func() Evidence { return unsteadyControl(4, 4) }, Missed, "cpu_vs_nginx is 4.00"},
		"a bit off, unsteady control": {func() Evidence { return unsteadyControl(0.9, 0.6) }, Undecided, "against itself"},
		"minima disagree":             {func() Evidence { return minimaAt(0.75, 0.64) }, Undecided, "by the minima"},
		"minima disagree upwards":     {func() Evidence { return minimaAt(0.75, 0.86) }, Undecided, "by the minima"},
		"errors in most rounds":       {func() Evidence { e := steady(0.5, 0.5); e.Voided = 6; return e }, Missed, "had errors in 6 of 11"},
		"errors in some rounds":       {func() Evidence { e := steady(0.5, 0.5); e.Voided = 5; return e }, Met, ""},
		"errors on a busy machine":    {func() Evidence { e := steady(0.5, 0.5); e.Voided, e.Noise = 6, 1; return e }, Undecided, "too noisy"},
		"a ratio is missing": {func() Evidence {
			e := steady(0.5, 0.5)
			delete(e.Measured, cpuVsHAProxy)
			return e
		}, Undecided, "cpu_vs_haproxy was not measured"},
	} {
		got, why := judge(smallBody, c.evidence())
		if got != c.want || !strings.Contains(why, c.why) || c.why == "" && why != "" {
			t.Errorf("%s: got %s, %q, want %s, %q", name, got, why, c.want, c.why)
		}
	}
}

func unsteadyControl(cpuNginx, cpuHAProxy float64) Evidence {
	e := steady(cpuNginx, cpuHAProxy)
	aa := ratioOf(1, 0.92, 1.03)
	e.AA = &aa
	return e
}

func minimaAt(median, minima float64) Evidence {
	e := steady(median, 0.6)
	r := e.Measured[cpuVsNginx]
	r.Minima = minima
	e.Measured[cpuVsNginx] = r
	return e
}

func TestThroughputIsToReachItsBound(t *testing.T) {
	targets := []Target{atLeast(rpsVsNginx, 1.25)}
	for v, want := range map[float64]Verdict{1.25: Met, 1.24: Missed, 1.4: Met} {
		e := steady(1, 1)
		e.Measured[rpsVsNginx] = ratioOf(v, v-0.01, v+0.01)
		if got, why := judge(targets, e); got != want {
			t.Errorf("%g: got %s, %q, want %s", v, got, why, want)
		}
	}
}

func TestMemoryNeedsNoQuietAndFewerRounds(t *testing.T) {
	targets := []Target{atMost(memoryVsNginx, 1)}
	e := steady(1, 1)
	e.Rounds, e.NoNoise, e.Noise = memoryRounds, true, 3
	e.Measured[memoryVsNginx] = ratioOf(0.6, 0.6, 0.61)
	if got, why := judge(targets, e); got != Met {
		t.Errorf("got %s, %q, want met", got, why)
	}
	e.Rounds--
	if got, _ := judge(targets, e); got != Undecided {
		t.Errorf("%d rounds: got %s, want undecided", e.Rounds, got)
	}
}

func TestEveryRowHasATargetAgainstNginxAndCPURowsOneAgainstHAProxy(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range rows {
		if seen[r.Load] {
			t.Errorf("two rows %s", r.Load)
		}
		seen[r.Load] = true
		if len(r.Targets) == 0 || !strings.HasSuffix(r.Targets[0].Ratio, "vs_nginx") {
			t.Errorf("%s: targets %q, want one against nginx first", r.Load, targetText(r.Targets))
		}
		against := strings.Contains(targetText(r.Targets), cpuVsHAProxy)
		if r.By != byIdle && !against {
			t.Errorf("%s has no target against HAProxy", r.Load)
		}
		if load.Bodies[r.filled().Body] == 0 {
			t.Errorf("%s: the responder has no body %q", r.Load, r.filled().Body)
		}
	}
}

func TestRowsAreChosenByNameOrItsBeginning(t *testing.T) {
	for names, want := range map[string]int{"": len(rows), "h1-128b": 1, "h2": 2, "idle-8000": 1, "tls,h2-16x8": 4, "h2,h2-16x8": 2} {
		got, err := chooseRows(names)
		if err != nil || len(got) != want {
			t.Errorf("%q: %d rows, %v, want %d", names, len(got), err, want)
		}
	}
	for _, bad := range []string{"h3", "h2,", ",", "h2-16x8x"} {
		if got, err := chooseRows(bad); err == nil {
			t.Errorf("%q chose %d rows", bad, len(got))
		}
	}
}
