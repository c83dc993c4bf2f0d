package reload

import (
	"context"
	"fmt"
	"time"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/traffic"
)

const (
	keptConns = 10
	// crossed is how many requests may be on their way when the gateway closes
	// their connection: RFC 9112 9.3.1 lets it close an idle one at any time, and the
	// client repeats such a request.
	crossed = 2
	// movedBound is how long clients that go on asking may take to be sent away.
	movedBound = 10 * time.Second
)

// Catches a gateway that keeps idle connections open until the next request
// comes, and then closes them instead of answering it.
var drainKeptConns = spec.Case{
	ID: "DRAIN-KEPT-CONNS", Level: spec.Must, Needs: []spec.Feature{spec.GatewayDrain}, Env: []spec.Capability{spec.Control},
	Title:    "A draining gateway sends clients with kept connections away, by Connection: close or by closing idle ones, without losing a request of theirs.",
	Refs:     []string{"RFC 9112 9.6", "RFC 9112 9.3.1"},
	After:    []string{"DRAIN-IN-FLIGHT"},
	Backends: 1,
	Timeout:  restartBound,
	Run: func(ctx context.Context, t *spec.T) {
		g := ask.NewGate(ctx, t)
		t.Put(ctx, "routes/"+t.Name("slow"), fmt.Sprintf(`{"host":%q,"uri":"/slow","upstream":%s}`, t.Host(), upstreamOf(g.Backend)))
		t.Put(ctx, "routes/"+t.Name("fast"), fmt.Sprintf(`{"host":%q,"uri":"/fast","upstream":%s}`, t.Host(), upstreamOf(t.Backend(0))))
		t.Wait(ctx)
		gw, fast := drained(t), traffic.Request{Host: t.Host(), Target: "/fast"}
		left := keptConnsOf(ctx, t, gw, fast, t.Backend(0))
		hs := ask.Hold(ctx, t, g, fast, traffic.Request{Host: t.Host(), Target: "/slow"}, gw)
		d := drain(ctx, t, gw, g.Open) // the held request makes it last
		defer d.restart(t)
		sentAway(ctx, t, gw, fast, t.Backend(0), left, "while the gateway drains")
		g.Finish(ctx, t, hs, "while the gateway drains")
		d.finish(t)
	},
}
