package ha

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

// Catches a forwarding plane that dies with the program that has made it, or is
// torn down and built again when that comes back.
var agentsLost = spec.Case{
	ID: "HA-AGENTS-LOST", Level: spec.Must, Needs: []spec.Feature{spec.HAAgent}, Env: inVPC,
	Title:   "While the agents of all gateways are dead, and when they start again, no request to a tenant's network is lost.",
	Refs:    []string{"docs/faults.md: agent-crash"},
	Timeout: caseTime,
	Run: func(ctx context.Context, t *spec.T) {
		lb, _ := site.Guests(ctx, t, tenant(t), 2)
		load := site.Load(ctx, t, lb, "load", traffic.PerSecond(100), traffic.Keepalive(12))
		fresh := site.Load(ctx, t, lb, "fresh", traffic.PerSecond(50), traffic.FreshConnections())
		site.Steady(ctx, t, load, 300*time.Millisecond)
		region := t.Env().Nodes(topology.KindL7)[0].Region
		mend := site.Break(ctx, t, lb, fault.AgentCrash{On: topology.Selector(region + "/*/l7-*")})
		site.Steady(ctx, t, fresh, time.Second)
		mend(ctx)
		site.Steady(ctx, t, fresh, 300*time.Millisecond)
		t.Verdicts(check.Judge(site.Stop(ctx, t, load, fresh), t.Env().Facts(), check.NoRequestLost(), check.AtMostOnce())...)
	},
}
