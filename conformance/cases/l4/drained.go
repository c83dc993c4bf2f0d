package l4

import (
	"context"
	"time"

	"github.com/unilb/unilb/conformance/cases/site"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/check"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway that ends before L4 has stopped sending it connections, or
// with requests in hand: every release of it costs its users some.
var drained = spec.Case{
	ID: "L4-GATEWAY-DRAINED", Level: spec.Must, Needs: []spec.Feature{spec.L4Failover}, Env: faulty,
	Title:   "When a gateway is taken out of service and comes back, no request is lost: on fresh connections, on kept ones, or slow.",
	Refs:    []string{"docs/wire.md 4: SIGTERM"},
	After:   []string{"L4-SPREAD"},
	Timeout: caseTime,
	Run: func(ctx context.Context, t *spec.T) {
		lb, _ := site.Servers(ctx, t, 2)
		leaves := site.Refs(t)[0]
		load := site.Load(ctx, t, lb, "load", traffic.PerSecond(120), traffic.Keepalive(24))
		fresh := site.Load(ctx, t, lb, "fresh", traffic.PerSecond(60), traffic.FreshConnections())
		slow := site.Load(ctx, t, lb, "slow", traffic.PerSecond(10), traffic.TakingAbout(time.Second))
		site.Steady(ctx, t, load, 500*time.Millisecond)
		back := drain(ctx, t, lb, leaves)
		site.Steady(ctx, t, load, 200*time.Millisecond)
		back(ctx)
		site.Steady(ctx, t, load, 200*time.Millisecond)
		t.Verdicts(check.Judge(site.Stop(ctx, t, load, fresh, slow), t.Env().Facts(), check.NoRequestLost(), check.AtMostOnce())...)
	},
}
