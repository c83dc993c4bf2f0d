package traffic

import (
	"context"
	"net/http"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway that sends whatever failed on a kept connection again, as if
// its end proved that the request was not read: an order is placed twice.
var keepStalePost = spec.Case{
	ID: "KEEP-STALE-POST", Level: spec.Must, Needs: []spec.Feature{spec.ProxyKeepalive},
	Title: "A POST that was sent on a kept connection which then ends is not sent again; the client learns that it failed.",
	Refs:  []string{"RFC 9110 9.2.2", "RFC 9112 9.3.1"},
	Run: func(ctx context.Context, t *spec.T) {
		b := playStale(ctx, t)
		routeTo(ctx, t, `"retries": 2`, b.Addr)
		s := one(t)
		for i := range 20 {
			method, body := http.MethodGet, ""
			if i%2 == 1 {
				method, body = http.MethodPost, "order"
			}
			r := s.Do(ctx, traffic.Request{Method: method, Host: t.Host(), Body: []byte(body)})
			if method == http.MethodGet {
				continue // it is there to leave a connection behind
			}
			n := len(arrivalsOf(t, r.Op.ID))
			t.Check(n <= 1, "the backend saw a POST %d times (op %s)", n, r.Op.ID)
			t.Check(unserved(r) || r.Backend() == b.Ref, "POST: got %s, want the gateway's 502, the end of the connection, or an answer of the backend (op %s)", ask.Said(r), r.Op.ID)
		}
		if staleMet(t) == 0 {
			t.Undecided("no request met a connection that had carried another: none is kept")
		}
	},
}
