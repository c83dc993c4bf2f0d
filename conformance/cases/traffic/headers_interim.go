package traffic

import (
	"context"
	"net/http"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/traffic"
)

const earlyHints = "HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n"

// hinting answers every request with two 103 before the answer proper.
func hinting(a *actor) {
	for q, ok := a.take(); ok; q, ok = a.take() {
		if !a.say(earlyHints + earlyHints + q.head("200 OK", "Content-Length: 4") + "done") {
			return
		}
	}
}

// Catches a gateway that takes the first head it reads for the answer: the client
// gets a 103 and nothing else, or the answer to the request before.
var headersInterim = spec.Case{
	ID: "HDR-INTERIM-HARMLESS", Level: spec.Must, Needs: []spec.Feature{spec.ProxyHeaders},
	Title: "A backend's 103 (Early Hints) does not stand in the way of its answer, nor of the next one on the same connections.",
	Refs:  []string{"RFC 9110 15.2", "RFC 8297 2"},
	Run: func(ctx context.Context, t *spec.T) {
		b := play(ctx, t, hinting)
		routeTo(ctx, t, "", b.Addr)
		s := ask.Session(t, t.Env().Gateways()[0].Data, traffic.Options{Conns: traffic.ConnPolicy{Keep: 1}, Timeout: answerBound})
		for i := range 3 {
			r := s.Do(ctx, traffic.Request{Host: t.Host()})
			if r.Reply == nil || r.Reply.Status != http.StatusOK || string(r.Reply.Body) != "done" {
				t.Fatalf("request %d: got %s, want 200 and the body of the answer after the hints (op %s)", i, ask.Said(r), r.Op.ID)
			}
			t.Check(r.Backend() == b.Ref && r.Op.Outcome == "ok", "request %d: %s (op %s)", i, r.Op.Error, r.Op.ID)
		}
	},
}
