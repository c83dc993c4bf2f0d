package l4

import (
	"context"
	"time"

	"github.com/unilb/unilb/conformance/cases/site"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/check"
	"github.com/unilb/unilb/sim/fault"
	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/traffic"
	"github.com/unilb/unilb/topology"
)

// Catches an L4 layer that takes a handshake for a sign of life: the kernel of a
// gateway that hangs goes on accepting connections, and nobody answers on them.
var gatewayFrozen = spec.Case{
	ID: "L4-GATEWAY-FROZEN", Level: spec.Must, Needs: []spec.Feature{spec.L4Failover}, Env: faulty,
	Title:   "When a gateway hangs, so that it accepts and never answers, new connections are served by the others within 15 s, and connections to the others lose nothing.",
	Refs:    []string{"docs/wire.md 4: l4lb, probes"},
	After:   []string{"L4-SPREAD"},
	Timeout: caseTime,
	Run: func(ctx context.Context, t *spec.T) {
		const patience = 3 * time.Second
		lb, _ := site.Servers(ctx, t, 2)
		victim := site.Refs(t)[0]
		all := keep(ctx, t, lb, 6)
		fresh := site.Load(ctx, t, lb, "fresh", traffic.PerSecond(80), traffic.FreshConnections(), site.GivingUpAfter(patience))
		site.Steady(ctx, t, fresh, 500*time.Millisecond)
		from := t.Env().Recorder().Now()
		mend := site.Break(ctx, t, lb, fault.Freeze{On: topology.Selector(victim), Process: topology.ProcGateway})
		cost := site.Recovered(ctx, t, fresh, from)
		var others []*kept
		for _, k := range all {
			if k.at != victim {
				others = append(others, k)
			}
		}
		goOn(ctx, t, lb, others, "while "+string(victim)+" hangs")
		mend(ctx)
		goOn(ctx, t, lb, others, "after "+string(victim)+" went on")
		t.Verdicts(check.Judge(site.Stop(ctx, t, fresh), t.Env().Facts(),
			// Connections that hang are reset by another gateway when L4 gives this one up.
			check.NoRequestLost(check.InFlight(topology.Selector(victim), cost).Only(history.ClassTimeout, history.ClassDialTimeout, history.ClassReset)),
			check.BlastRadius(topology.Selector(victim), cost))...)
	},
}
