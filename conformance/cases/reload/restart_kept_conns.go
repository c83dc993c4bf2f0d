package reload

import (
	"context"
	"time"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway whose clients stay with the old process for as long as they like:
// the new binary mends nothing for them, and the old one is never gone.
var restartKeptConns = spec.Case{
	ID: "RESTART-KEPT-CONNS", Level: spec.Must, Needs: []spec.Feature{spec.GatewayRestart}, Env: []spec.Capability{spec.Control},
	Title: "When a new process takes over from a gateway, clients with kept connections are sent to it, by Connection: close or by closing idle ones, without losing a request of theirs.",
	Refs:  []string{"RFC 9112 9.6", "RFC 9112 9.3.1"},
	After: []string{"RESTART-IN-FLIGHT"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
`,
	Backends: 1,
	Timeout:  time.Minute,
	Run: func(ctx context.Context, t *spec.T) {
		gw, fast := drained(t), traffic.Request{Host: t.Host(), Target: "/fast"}
		all := keptConnsOf(ctx, t, gw, fast, t.Backend(0))
		replace(ctx, t, gw)
		sentAway(ctx, t, gw, fast, t.Backend(0), all, "after a new process took over")
		serves(ctx, t, gw, fast, t.Backend(0), "at the end")
	},
}

// keptConnsOf are connections that have carried one request.
func keptConnsOf(ctx context.Context, t *spec.T, gw spec.Gateway, r traffic.Request, from spec.Backend) []kept {
	var all []kept
	for range keptConns {
		k := kept{ask.Session(t, gw.Data, traffic.Options{Conns: traffic.ConnPolicy{Keep: 1}}), gw}
		k.served(ctx, t, r, from, "before")
		all = append(all, k)
	}
	return all
}

// sentAway asks over kept connections, one after the other, until the gateway has sent
// all of them away, and checks that none loses a request by it, but for crossings.
func sentAway(ctx context.Context, t *spec.T, gw spec.Gateway, r traffic.Request, from spec.Backend, left []kept, while string) {
	told, closed, lost := 0, 0, 0
	tick := time.NewTicker(pace / keptConns) // one after the other: a closing crosses one of them at most
	defer tick.Stop()
	for begun := time.Now(); len(left) > 0 && time.Since(begun) < movedBound && ctx.Err() == nil; <-tick.C {
		k := left[0]
		left = left[1:]
		switch r := k.Do(ctx, r); {
		case r.Op.Reused == 0: // its connection was closed while it was idle
			closed++
		case r.Reply == nil:
			lost++
			t.Logf("op %s, request %d of its connection: %v", r.Op.ID, r.Op.Reused+1, r.Err)
		case r.Backend() != from.Ref || r.Reply.Status != 200:
			t.Check(false, "%s: on a kept connection %s: got %s, want 200 (op %s)", gw.Ref, while, ask.Said(r), r.Op.ID)
		case r.Reply.Close:
			told++
		default:
			left = append(left, k)
		}
	}
	t.Logf("%s: of %d clients %d were told to go, %d found their connection closed, %d lost a request", gw.Ref, keptConns, told, closed, lost)
	t.Check(len(left) == 0, "%s: %d of %d clients are still served on their old connection after %s, %s", gw.Ref, len(left), keptConns, movedBound, while)
	t.Check(lost <= crossed, "%s: %d of %d clients lost a request on their kept connection, want at most %d", gw.Ref, lost, keptConns, crossed)
}
