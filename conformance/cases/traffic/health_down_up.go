package traffic

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/echo"
	"github.com/unilb/unilb/sim/traffic"
	"github.com/unilb/unilb/topology"
)

// Catches a gateway that never probes, that counts only refused connections and
// not a bad status or silence, or that never takes a target back.
var healthDownUp = spec.Case{
	ID: "HEALTH-DOWN-UP", Level: spec.Must, Needs: []spec.Feature{spec.ActiveChecks},
	Title: "A target whose health check fails, by status or by silence, gets no more requests, and gets some again once it is well; no request fails meanwhile.",
	Refs:  []string{"APISIX 3.18 upstream.checks.active, state machine"},
	Objects: `
-- upstreams/{{.ID}} --
{"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1, "{{index .Backends 1}}": 1}, "checks": {"active": {"type": "http", "http_path": "/health", "timeout": 1,
 "healthy": {"interval": 1, "successes": 2}, "unhealthy": {"interval": 1, "http_failures": 2, "timeouts": 2}}}}
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream_id": "{{.ID}}"}
`,
	Backends: 2,
	Timeout:  6 * ask.HealthBound,
	Run: func(ctx context.Context, t *spec.T) {
		sick, well := t.Backend(0), t.Backend(1)
		for _, gw := range t.Env().Gateways()[:1] {
			s := ask.Session(t, gw.Data, traffic.Options{Conns: traffic.ConnPolicy{Keep: 2}})
			who := func(target string) topology.Ref {
				r := s.Do(ctx, traffic.Request{Host: t.Host(), Target: target})
				if r.Reply == nil && ctx.Err() != nil {
					return "" // the time is over: whoever waits says for what
				}
				if r.Backend() == "" || r.Reply.Status != 200 {
					t.Fatalf("got %s, want 200 of a backend (op %s)", ask.Said(r), r.Op.ID)
				}
				return r.Backend()
			}
			ask.Until(ctx, t, "both targets serve", 1, func() bool { return who("/") == sick.Ref })
			for _, h := range []echo.Health{echo.Sick, echo.Hanging} {
				t.Step("health of %s becomes %d", sick.Ref, h)
				sick.Server.SetHealth(h)
				ask.Until(ctx, t, "the sick target gets nothing", 20, func() bool { return who("/") == well.Ref })
				t.Logf("noticed; %d probes so far", sick.Server.Probes())
				for range 50 {
					if got := who("/gate"); got != well.Ref {
						t.Fatalf("%s got a request after it was out", got)
					}
				}
				t.Step("%s is well again", sick.Ref)
				sick.Server.SetHealth(echo.Healthy)
				ask.Until(ctx, t, "the target gets requests again", 1, func() bool { return who("/") == sick.Ref })
			}
		}
	},
}
