package ha

import (
	"context"
	"net/netip"
	"time"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/cases/site"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/check"
	"github.com/unilb/unilb/sim/fault"
	"github.com/unilb/unilb/sim/traffic"
	"github.com/unilb/unilb/topology"
)

// Catches a tenant API whose work waits for the replica that leads, although it
// is dead.
var apiLost = spec.Case{
	ID: "HA-API-LOST", Level: spec.Must, Needs: []spec.Feature{spec.HAControl}, Env: faulty,
	Title:   "While either replica of the tenants' API is dead, the other takes edits and brings them into force within 15 s, and no request is lost.",
	Refs:    []string{"docs/wire.md 3: operations", "docs/faults.md: kill"},
	Timeout: caseTime,
	Run: func(ctx context.Context, t *spec.T) {
		lb, servers := site.Servers(ctx, t, 2)
		replicas, apis := t.Env().Nodes(topology.KindAPI), t.Env().APIs()
		if len(replicas) < 2 || len(apis) != len(replicas) {
			t.Brokenf("want two replicas of the tenants' API, the place has %d", len(replicas))
		}
		load := site.Load(ctx, t, lb, "load", traffic.PerSecond(60), traffic.Keepalive(12))
		site.Steady(ctx, t, load, 300*time.Millisecond)
		for i, n := range replicas {
			mend := site.Break(ctx, t, lb, fault.Kill{On: topology.Selector(n.Ref), Process: topology.ProcAPI})
			left, to := apis[(i+1)%len(apis)], servers[i%2]
			lb.Targets = []netip.AddrPort{to.Addr}
			begin := time.Now()
			if err := within(ctx, func(ctx context.Context) error { return site.Retarget(ctx, t, left, lb) }); err != nil {
				t.Fatalf("without %s: %v", n.Ref, err)
			}
			t.Logf("without %s: an edit is in force after %s", n.Ref, time.Since(begin).Round(time.Millisecond))
			for _, s := range site.Fresh(t, lb, "after", 0) {
				r := s.Do(ctx, traffic.Request{Host: lb.Host})
				t.Check(r.Backend() == to.Ref, "without %s: got %s, want %s, to which the edit points (op %s)", n.Ref, ask.Said(r), to.Ref, r.Op.ID)
			}
			mend(ctx)
		}
		t.Verdicts(check.Judge(site.Stop(ctx, t, load), t.Env().Facts(), check.NoRequestLost())...)
	},
}

// within gives an act the time that anything may take after a fault.
func within(ctx context.Context, act func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, site.Bound)
	defer cancel()
	return act(ctx)
}
