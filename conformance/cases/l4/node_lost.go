package l4

import (
	"context"
	"time"

	"github.com/unilb/unilb/conformance/cases/site"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/check"
	"github.com/unilb/unilb/sim/fault"
	"github.com/unilb/unilb/sim/traffic"
	"github.com/unilb/unilb/topology"
)

// Catches L4 nodes that do not agree on where a connection belongs: the one that
// takes over sends it to another gateway, which resets it.
var nodeLost = spec.Case{
	ID: "L4-NODE-LOST", Level: spec.Must, Needs: []spec.Feature{spec.L4Failover}, Env: faulty,
	Title:   "When an L4 node loses power, the other takes over within 15 s, and connections that were open stay with their gateways and lose nothing.",
	Refs:    []string{"docs/wire.md 5: edge router, nexthop group"},
	After:   []string{"L4-SPREAD"},
	Timeout: caseTime,
	Run: func(ctx context.Context, t *spec.T) {
		nodes := t.Env().Nodes(topology.KindL4)
		if len(nodes) < 2 {
			t.Brokenf("want two L4 nodes, the place has %d", len(nodes))
		}
		lb, _ := site.Servers(ctx, t, 2)
		all := keep(ctx, t, lb, 6)
		t.Logf("connections by gateway: %s", count(all))
		// Packets that were lost are sent again after a second: clients wait for them.
		fresh := site.Load(ctx, t, lb, "fresh", traffic.PerSecond(80), traffic.FreshConnections())
		site.Steady(ctx, t, fresh, 500*time.Millisecond)
		from := t.Env().Recorder().Now()
		mend := site.Break(ctx, t, lb, fault.PowerOff{On: topology.Selector(nodes[0].Ref)})
		goOn(ctx, t, lb, all, "while an L4 node is without power")
		site.Recovered(ctx, t, fresh, from)
		mend(ctx)
		site.Steady(ctx, t, fresh, 300*time.Millisecond)
		goOn(ctx, t, lb, all, "after the L4 node came back")
		t.Verdicts(check.Judge(site.Stop(ctx, t, fresh), t.Env().Facts(), check.NoRequestLost(), check.AtMostOnce())...)
	},
}
