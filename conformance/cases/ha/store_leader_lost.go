package ha

import (
	"context"
	"time"

	"github.com/unilb/unilb/conformance/cases/site"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/check"
	"github.com/unilb/unilb/sim/fault"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a control plane, or gateways, that know one member of their store only.
var storeLeaderLost = spec.Case{
	ID: "HA-STORE-LEADER-LOST", Level: spec.Must, Needs: []spec.Feature{spec.HAStore}, Env: faulty,
	Title:   "When the store loses its leader, and later the one that took over, edits come into force on every gateway again within 15 s, before the member is back, and no request is lost.",
	Refs:    []string{"docs/faults.md: etcd-leader-loss"},
	Timeout: caseTime,
	Run: func(ctx context.Context, t *spec.T) {
		lb, servers := site.Servers(ctx, t, 2)
		members(t)
		e := newEditor(t)
		e.succeeds(ctx, t, t.Env().Admin(), servers[0], "before")
		load := site.Load(ctx, t, lb, "load", traffic.PerSecond(100), traffic.Keepalive(12))
		site.Steady(ctx, t, load, 300*time.Millisecond)
		for _, which := range []string{"the leader", "the leader that took over"} { // no gateway may be the client of the first
			t.Step("%s is lost", which)
			mend := site.Break(ctx, t, lb, fault.EtcdLeaderLoss{})
			for _, s := range servers {
				e.succeeds(ctx, t, t.Env().Admin(), s, "without "+which)
			}
			mend(ctx)
			e.succeeds(ctx, t, t.Env().Admin(), servers[0], "after the member is back")
		}
		t.Verdicts(check.Judge(site.Stop(ctx, t, load), t.Env().Facts(), check.NoRequestLost(), check.AtMostOnce())...)
	},
}
