package reload

import (
	"context"
	"fmt"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/echo"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway whose old process ends with requests in flight when a new one
// takes over.
var reloadSignalInFlight = spec.Case{
	ID: "RELOAD-SIGNAL-IN-FLIGHT", Level: spec.Must, Needs: []spec.Feature{spec.GatewayReload}, Env: []spec.Capability{spec.Control},
	Title:    "A slow request and a half-passed answer in flight over a reload of the gateway come whole, once, while new requests are served.",
	Refs:     []string{"nginx control: HUP starts new workers and lets old ones finish, which APISIX 3.18 reloads by"},
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		g := ask.NewGate(ctx, t)
		t.Put(ctx, "routes/"+t.Name("slow"), fmt.Sprintf(`{"host":%q,"uris":["/slow","/half"],"upstream":%s}`, t.Host(), upstreamOf(g.Backend)))
		t.Put(ctx, "routes/"+t.Name("fast"), fmt.Sprintf(`{"host":%q,"uri":"/","upstream":%s}`, t.Host(), upstreamOf(t.Backend(0))))
		t.Wait(ctx)
		first, all := traffic.Request{Host: t.Host()}, t.Env().Gateways()
		hs := ask.Hold(ctx, t, g, first, traffic.Request{Method: "POST", Host: t.Host(), Target: "/slow", Body: echo.Pattern(100)}, all...)
		hs = append(hs, ask.Hold(ctx, t, g, first, traffic.Request{Host: t.Host(), Target: "/half"}, all...)...)
		reloadAll(ctx, t)
		touch(ctx, t, 0, t.Backend(0)) // in force: whoever serves now has begun
		answers(ctx, t, t.Backend(0), "after the reload")
		g.Finish(ctx, t, hs, "over a reload")
	},
}
