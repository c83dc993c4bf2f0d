package reload

import (
	"context"
	"fmt"
	"time"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/cases/framed"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that lets clients of HTTP/2, which keep one connection for hours,
// stay with the old process, or that closes it with requests on their way.
var restartHTTP2 = spec.Case{
	ID: "RESTART-HTTP2", Level: spec.Must, Needs: []spec.Feature{spec.GatewayRestart, spec.HTTP2}, Env: []spec.Capability{spec.Control, spec.TLS},
	Title:    "When a new process takes over from a gateway, clients of HTTP/2 are told by GOAWAY, requests under way are answered, none of others is lost, and new connections are served.",
	Refs:     []string{"RFC 9113 6.8", "RFC 9113 8.7"},
	After:    []string{"RESTART-IN-FLIGHT", "H2-STREAMS-OWN"},
	Backends: 1,
	Timeout:  time.Minute,
	Run: func(ctx context.Context, t *spec.T) {
		g := ask.NewGate(ctx, t)
		gated(ctx, t, g)
		gw := drained(t)
		w := watching(ctx, t, g, gw)
		asking, stop := context.WithCancel(ctx)
		others := make(chan asked, 1)
		go func() { others <- askOn2(asking, t, gw) }()
		replace(ctx, t, gw)
		for range 5 {
			fast2(ctx, t, framed.Dial(ctx, t, gw.TLS, t.Host(), framed.Options{}), gw, "after a new process took over")
		}
		w.told(ctx, t)
		stop()
		(<-others).judge(t, gw)
		g.Open()
		w.answered(ctx, t)
	},
}

// gated publishes the case's host with /slow at the gate and /fast at backend 0.
func gated(ctx context.Context, t *spec.T, g *ask.Gate) {
	framed.Certify(ctx, t)
	t.Put(ctx, "routes/"+t.Name("slow"), fmt.Sprintf(`{"host":%q,"uri":"/slow","upstream":%s}`, t.Host(), upstreamOf(g.Backend)))
	t.Put(ctx, "routes/"+t.Name("fast"), fmt.Sprintf(`{"host":%q,"uri":"/fast","upstream":%s}`, t.Host(), upstreamOf(t.Backend(0))))
	t.Wait(ctx)
}
