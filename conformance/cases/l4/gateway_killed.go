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

// Catches an L4 layer that goes on sending new connections to a gateway that is
// dead, or cuts those of the living ones when it leaves one out.
var gatewayKilled = spec.Case{
	ID: "L4-GATEWAY-KILLED", Level: spec.Must, Needs: []spec.Feature{spec.L4Failover}, Env: faulty,
	Title:   "When a gateway is killed, new connections are served by the others within 15 s, only what it had in hand or was sent before is lost, and it takes traffic again when it is back.",
	Refs:    []string{"docs/wire.md 4: l4lb, probes"},
	After:   []string{"L4-SPREAD"},
	Timeout: caseTime,
	Run: func(ctx context.Context, t *spec.T) {
		lb, _ := site.Servers(ctx, t, 2)
		victim := site.Refs(t)[0]
		load := site.Load(ctx, t, lb, "load", traffic.PerSecond(120), traffic.Keepalive(24))
		fresh := site.Load(ctx, t, lb, "fresh", traffic.PerSecond(80), traffic.FreshConnections())
		site.Steady(ctx, t, load, 500*time.Millisecond)
		from := t.Env().Recorder().Now()
		mend := site.Break(ctx, t, lb, fault.Kill{On: topology.Selector(victim), Process: topology.ProcGateway})
		cost := site.Recovered(ctx, t, fresh, from)
		mend(ctx)
		t.Verdicts(check.Judge(site.Stop(ctx, t, load, fresh), t.Env().Facts(),
			check.NoRequestLost(check.InFlight(topology.Selector(victim), cost).Only(history.ClassRefused, history.ClassReset, history.ClassEOF)),
			check.BlastRadius(topology.Selector(victim), cost), check.AtMostOnce())...)
	},
}
