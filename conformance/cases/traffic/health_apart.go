package traffic

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/echo"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway that keeps health by address: two applications on one server
// check different pages, and the one that is sick takes the other one down.
var healthApart = spec.Case{
	ID: "HEALTH-APART", Level: spec.Must, Needs: []spec.Feature{spec.ActiveChecks},
	Title:    "Two upstreams with the same target and different checks each go by their own: one leaves the target, the other one does not.",
	Refs:     []string{"APISIX 3.18 upstream.checks: a checker for each upstream"},
	Backends: 2,
	Timeout:  healthTime(2),
	After:    []string{"HEALTH-DOWN-UP"},
	Run: func(ctx context.Context, t *spec.T) {
		shared, well := t.Backend(0), t.Backend(1)
		shared.Server.SetHealth(echo.Sick) // at /health alone
		sickHost, wellHost := "sick."+t.Host(), "well."+t.Host()
		routeChecked(ctx, t, t.Name("sick"), sickHost, checkedUpstream(shared, well, "/health", 1, ""))
		routeChecked(ctx, t, t.Name("well"), wellHost, checkedUpstream(shared, well, "/other", 1, ""))
		t.Wait(ctx)
		s := one(t)
		ask.Until(ctx, t, "both targets serve the upstream that is well", 1, func() bool { return served(ctx, t, s, wellHost) == shared.Ref })
		untilAlone(ctx, t, s, sickHost, well.Ref)
		for range 2 { // and its next probes must not change that
			n := count(picks(ctx, t, s, 20, traffic.Request{Host: wellHost}))
			t.Check(n[shared.Ref] > 0, "the target that is sick for another upstream got none of 20 requests of this one")
			probes := shared.Server.Probes()
			ask.Until(ctx, t, "another probe", 1, func() bool { return shared.Server.Probes() > probes })
		}
		n := count(picks(ctx, t, s, 20, traffic.Request{Host: sickHost}))
		t.Check(n[shared.Ref] == 0, "the target got %d of 20 requests of the upstream for which it is sick", n[shared.Ref])
	},
}
