package traffic

import (
	"context"
	"net/http"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway that lets its clients have the race between a request and the
// end of a kept connection: now and then a GET fails although nothing is wrong.
var keepStaleGet = spec.Case{
	ID: "KEEP-STALE-GET", Level: spec.Should, Needs: []spec.Feature{spec.ProxyKeepalive},
	Title: "A GET that meets the end of a kept connection is sent again on a new one, also when there is but one target.",
	Refs:  []string{"RFC 9112 9.3.1", "RFC 9110 9.2.2"},
	Run: func(ctx context.Context, t *spec.T) {
		b := playStale(ctx, t)
		routeTo(ctx, t, "", b.Addr)
		s := one(t)
		for i := range 10 {
			r := s.Do(ctx, traffic.Request{Host: t.Host()})
			t.Check(r.Backend() == b.Ref && r.Reply.Status == http.StatusOK, "GET %d: got %s, want 200 from the backend (op %s)", i, ask.Said(r), r.Op.ID)
		}
		if staleMet(t) == 0 {
			t.Undecided("no request met a connection that had carried another: none is kept")
		}
	},
}
