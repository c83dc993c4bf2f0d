package traffic

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/echo"
)

// Catches a gateway that believes its checks when they say that nobody is left: a
// health page that breaks everywhere at once takes a site down that is well.
var healthAllDown = spec.Case{
	ID: "HEALTH-ALL-DOWN", Level: spec.Should, Needs: []spec.Feature{spec.ActiveChecks},
	Title:    "When the health checks of all targets fail all of them get requests again, and no request fails.",
	Refs:     []string{"APISIX 3.18: all upstream nodes unhealthy, use default"},
	Backends: 2,
	Timeout:  healthTime(2),
	After:    []string{"HEALTH-DOWN-UP"},
	Run: func(ctx context.Context, t *spec.T) {
		a, b := t.Backend(0), t.Backend(1)
		routeChecked(ctx, t, t.ID(), t.Host(), checkedUpstream(a, b, "/health", 1, ""))
		t.Wait(ctx)
		s := one(t)
		a.Server.SetHealth(echo.Sick)
		untilAlone(ctx, t, s, t.Host(), b.Ref)
		b.Server.SetHealth(echo.Sick)
		ask.Until(ctx, t, "the target that went first serves again", 1, func() bool { return served(ctx, t, s, t.Host()) == a.Ref })
	},
}
