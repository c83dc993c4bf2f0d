package reload

import (
	"context"
	"fmt"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/echo"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway that ends when it is told to, or after a moment, with
// requests in flight.
var drainInFlight = spec.Case{
	ID: "DRAIN-IN-FLIGHT", Level: spec.Must, Needs: []spec.Feature{spec.GatewayDrain}, Env: []spec.Capability{spec.Control},
	Title:   "Requests in flight when a gateway drains are answered, once, and the gateway ends after that.",
	Refs:    []string{"nginx control: QUIT is a graceful shutdown, which APISIX 3.18 stops by"},
	Timeout: restartBound,
	Run: func(ctx context.Context, t *spec.T) {
		g := ask.NewGate(ctx, t)
		t.Put(ctx, "routes/"+t.ID(), fmt.Sprintf(`{"host":%q,"uri":"/slow/*","upstream":%s}`, t.Host(), upstreamOf(g.Backend)))
		t.Wait(ctx)
		gw, first := drained(t), traffic.Request{Host: t.Host(), Target: "/none"}
		hs := ask.Hold(ctx, t, g, first, traffic.Request{Host: t.Host(), Target: "/slow/1"}, gw, gw)
		hs = append(hs, ask.Hold(ctx, t, g, first, traffic.Request{Method: "POST", Host: t.Host(), Target: "/slow/2", Body: echo.Pattern(1000)}, gw)...)
		d := drain(ctx, t, gw, g.Open)
		defer d.restart(t)
		d.shut(ctx, t)
		t.Check(!d.over(), "%s has ended with %d requests in flight", gw.Ref, len(hs))
		g.Finish(ctx, t, hs, "while the gateway drains")
		d.finish(t)
	},
}
