package traffic

import (
	"context"
	"sync"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway that keeps a connection on which more came than was asked for:
// what a backend, or who speaks through it, put behind an answer becomes the answer
// to somebody else's request.
var errorSurplus = spec.Case{
	ID: "ERR-SURPLUS", Level: spec.Must, Needs: []spec.Feature{spec.ProxyBodies},
	Title: "Bytes that follow a backend's complete answer are never given to another request, nor to the same.",
	Refs:  []string{"RFC 9112 6.3"},
	Run: func(ctx context.Context, t *spec.T) {
		const clients, requests = 16, 100 // at once: a connection must be wanted the moment that it is free
		b := play(ctx, t, func(a *actor) {
			for q, ok := a.take(); ok; q, ok = a.take() {
				surplus := q.head("200 OK", "X-Surplus: 1", "Content-Length: 6") + "stolen"
				if !a.say(q.head("200 OK", "Content-Length: 0") + surplus) {
					return
				}
			}
		})
		routeTo(ctx, t, "", b.Addr)
		gw := t.Env().Gateways()[0]
		var running sync.WaitGroup
		for range clients {
			s := ask.Session(t, gw.Data, traffic.Options{Conns: traffic.ConnPolicy{Keep: 1}})
			running.Go(func() {
				for range requests {
					r := s.Do(ctx, traffic.Request{Host: t.Host()})
					right := r.Backend() == b.Ref && r.Reply.Length == 0 && r.Op.Outcome == "ok" && r.Reply.Header.Get("X-Surplus") == ""
					if !right {
						t.Check(false, "got %s %s, want the answer to this request (op %s)", ask.Said(r), r.Op.Error, r.Op.ID)
						return // one is enough
					}
				}
			})
		}
		running.Wait()
	},
}
