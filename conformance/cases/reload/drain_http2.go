package reload

import (
	"context"
	"time"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that ends connections of HTTP/2 without a word when it drains, or
// lets them stay: their clients cannot know which of their requests have happened.
var drainHTTP2 = spec.Case{
	ID: "DRAIN-HTTP2", Level: spec.Must, Needs: []spec.Feature{spec.GatewayDrain, spec.HTTP2}, Env: []spec.Capability{spec.Control, spec.TLS},
	Title:    "A draining gateway tells clients of HTTP/2 by GOAWAY that they shall leave, answers their requests that are under way, and ends then.",
	Refs:     []string{"RFC 9113 6.8", "nginx control: QUIT is a graceful shutdown, which APISIX 3.18 stops by"},
	After:    []string{"DRAIN-IN-FLIGHT", "H2-STREAMS-OWN"},
	Backends: 1,
	Timeout:  restartBound + 10*time.Second,
	Run: func(ctx context.Context, t *spec.T) {
		g := ask.NewGate(ctx, t)
		gated(ctx, t, g)
		gw := drained(t)
		w := watching(ctx, t, g, gw)
		d := drain(ctx, t, gw, g.Open)
		defer d.restart(t)
		w.told(ctx, t)
		t.Check(!d.over(), "%s has ended with %d requests under way", gw.Ref, len(w.held))
		g.Open()
		w.answered(ctx, t)
		d.finish(t)
	},
}
