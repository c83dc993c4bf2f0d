package labenv

import (
	"testing"
	"time"

	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/proc"
)

func TestCaseThatWasNotRunIsNotBlamedForTheEndOfAGateway(t *testing.T) {
	for name, c := range map[string]struct {
		r       spec.Result
		state   spec.State
		deaths  int
		excused int
	}{
		"run":        {spec.Result{State: spec.Pass, Took: time.Second}, spec.Fail, 1, 0},
		"challenged": {spec.Result{State: spec.Unsupported, Challenge: spec.Pass, Took: time.Second}, spec.Unsupported, 0, 1},
		"unclaimed":  {spec.Result{State: spec.Unsupported, Reason: &spec.Reason{Code: spec.Unclaimed}}, spec.Unsupported, 1, 0},
		"skipped":    {spec.Result{State: spec.Skip, Reason: &spec.Reason{Code: spec.Machine}}, spec.Skip, 1, 0},
		"unproven":   {spec.Result{State: spec.Unproven, Reason: &spec.Reason{Code: spec.After}}, spec.Unproven, 1, 0},
		"not judged": {spec.Result{State: spec.Unsupported, Challenge: spec.Skip}, spec.Unsupported, 1, 0},
	} {
		w, r := &worker{}, c.r
		w.mourn(&r, "bj/az1/l7-1", &proc.Process{})
		if r.State != c.state || len(w.deaths) != c.deaths || len(w.excused) != c.excused {
			t.Errorf("%s: got %s, deaths %q, excused %q, want %s, %d, %d", name, r.State, w.deaths, w.excused, c.state, c.deaths, c.excused)
		}
		if !ran(&c.r) && (len(r.Says) > 0 || r.Challenge != c.r.Challenge) {
			t.Errorf("%s: it says %q, challenge %q", name, r.Says, r.Challenge)
		}
	}
}
