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
		var left []kept
		for range keptConns {
			k := kept{ask.Session(t, gw.Data, traffic.Options{Conns: traffic.ConnPolicy{Keep: 1}}), gw}
			k.served(ctx, t, fast, t.Backend(0), "before the drain")
			left = append(left, k)
		}
		hs := ask.Hold(ctx, t, g, fast, traffic.Request{Host: t.Host(), Target: "/slow"}, gw)
		d := drain(ctx, t, gw, g.Open) // the held request makes it last
		defer d.restart(t)
		told, closed, lost := 0, 0, 0
		tick := time.NewTicker(pace / keptConns) // one after the other: a closing crosses one of them at most
		defer tick.Stop()
		for begun := time.Now(); len(left) > 0 && time.Since(begun) < movedBound && ctx.Err() == nil; <-tick.C {
			k := left[0]
			left = left[1:]
			switch r := k.Do(ctx, fast); {
			case r.Op.Reused == 0: // its connection was closed while it was idle
				closed++
			case r.Reply == nil:
				lost++
				t.Logf("op %s, request %d of its connection: %v", r.Op.ID, r.Op.Reused+1, r.Err)
			case r.Backend() != t.Backend(0).Ref || r.Reply.Status != 200:
				t.Check(false, "%s: on a kept connection while it drains: got %s, want 200 (op %s)", gw.Ref, ask.Said(r), r.Op.ID)
			case r.Reply.Close:
				told++
			default:
				left = append(left, k)
			}
		}
		t.Logf("%s: of %d clients %d were told to go, %d found their connection closed, %d lost a request", gw.Ref, keptConns, told, closed, lost)
		t.Check(len(left) == 0, "%s: %d of %d clients are still served on their old connection %s after the drain began", gw.Ref, len(left), keptConns, movedBound)
		t.Check(lost <= crossed, "%s: %d of %d clients lost a request on their kept connection, want at most %d", gw.Ref, lost, keptConns, crossed)
		g.Finish(ctx, t, hs, "while the gateway drains")
		d.finish(t)
	},
}
