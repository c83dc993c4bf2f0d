package ha

import (
	"context"
	"net/http"
	"time"

	"github.com/unilb/unilb/conformance/cases/site"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/check"
	"github.com/unilb/unilb/sim/fault"
	"github.com/unilb/unilb/sim/traffic"
	"github.com/unilb/unilb/topology"
)

// Catches an Admin API with state of its own, or an address that goes on leading
// to the replica that is dead.
var adminLost = spec.Case{
	ID: "HA-ADMIN-LOST", Level: spec.Must, Needs: []spec.Feature{spec.HAControl}, Env: faulty,
	Title:   "While either replica of the Admin API is dead, twenty edits in a row at its address succeed and come into force within 15 s; when it is back it answers what is stored.",
	Refs:    []string{"docs/wire.md 5", "docs/faults.md: kill"},
	Timeout: caseTime,
	Run: func(ctx context.Context, t *spec.T) {
		lb, servers := site.Servers(ctx, t, 2)
		replicas := t.Env().Nodes(topology.KindAdmin)
		if len(replicas) < 2 || len(t.Env().Admins()) != len(replicas) {
			t.Brokenf("want two replicas of the Admin API, the place has %d", len(replicas))
		}
		e := newEditor(t)
		load := site.Load(ctx, t, lb, "load", traffic.PerSecond(60), traffic.Keepalive(12))
		site.Steady(ctx, t, load, 300*time.Millisecond)
		for i, n := range replicas {
			mend := site.Break(ctx, t, lb, fault.Kill{On: topology.Selector(n.Ref), Process: topology.ProcAdmin})
			// Connections that are spread over the dead one, too, succeed twenty times
			// in a row with probability 1e-6: what a client repeats hides nothing.
			e.inARow(ctx, t, t.Env().Admin(), servers[i%2], 20, "without "+string(n.Ref))
			mend(ctx)
			r, err := t.Env().Admins()[i].Do(ctx, spec.Call{Method: http.MethodGet, Path: e.path})
			got, _ := r.JSON()["value"].(map[string]any)
			want := e.last()
			t.Check(err == nil && got["desc"] == want, "%s, back again: got %s, %v, want %q", n.Ref, r, err, want)
		}
		t.Verdicts(check.Judge(site.Stop(ctx, t, load), t.Env().Facts(), check.NoRequestLost())...)
	},
}
