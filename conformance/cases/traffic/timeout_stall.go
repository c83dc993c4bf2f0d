package traffic

import (
	"context"
	"net/http"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway that keeps its time limit for heads only, so that a target
// which stalls in a body holds its client for ever, or one that ends such an answer
// as if it were complete.
var timeoutStall = spec.Case{
	ID: "TIME-STALL", Level: spec.Must, Needs: []spec.Feature{spec.ProxyTimeouts},
	Title: "When a target stalls in the middle of a body for longer than timeout.read the client's answer is cut, and is not a complete one.",
	Refs:  []string{"APISIX 3.18 upstream.timeout.read", "RFC 9112 8"},
	Run: func(ctx context.Context, t *spec.T) {
		b := play(ctx, t, func(a *actor) {
			if q, ok := a.take(); ok && a.say(q.head("200 OK", "Transfer-Encoding: chunked")+"5\r\nfirst\r\n") {
				_, _ = a.r.Head() // no more comes: it returns when the connection ends
			}
		})
		routeTo(ctx, t, `"timeout": {"connect": 5, "send": 5, "read": 1}`, b.Addr)
		r := one(t).Do(ctx, traffic.Request{Host: t.Host()})
		t.Check(r.Reply == nil || own(r, http.StatusGatewayTimeout), "got %s with %d bytes as a complete answer (op %s)", ask.Said(r), length(r), r.Op.ID)
		t.Check(r.Op.Class != history.ClassTimeout && r.Op.Latency() < lateBound, "the client was left waiting for %s, want less than %s (op %s)", r.Op.Latency(), lateBound, r.Op.ID)
	},
}
