package routing

import (
	"context"
	"net/http"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway that answers with 502 or 503, or that closes the connection
// without saying so. (A gateway may announce the end of a connection whose request
// body it does not want to read.)
var routeNone404 = spec.Case{
	ID: "ROUTE-NONE-404", Level: spec.Must, Needs: []spec.Feature{spec.RouteURI},
	Title: "A request that no route matches gets the gateway's 404, and the connection stays usable unless the answer says otherwise.",
	Refs:  []string{"RFC 9110 15.5.5", "RFC 9112 9.6"},
	Run: func(ctx context.Context, t *spec.T) {
		unrouted(ctx, t, func(spec.Gateway, *traffic.Reply) {})
	},
}

// unrouted sends requests for which there is no route over one connection to each
// gateway, and hands every answer on.
func unrouted(ctx context.Context, t *spec.T, judge func(spec.Gateway, *traffic.Reply)) {
	for _, gw := range t.Env().Gateways() {
		s := ask.Session(t, gw.Data, traffic.Options{Conns: traffic.ConnPolicy{Keep: 1}})
		carried := 0 // requests that this connection must have carried before
		for _, req := range []traffic.Request{{}, {Method: http.MethodPost, Body: []byte("hello")}, {Target: "/?x=1"}} {
			req.Host = t.Host()
			r := s.Do(ctx, req)
			if r.Reply == nil {
				t.Check(false, "%s: no answer: %v", gw.Ref, r.Err)
				continue
			}
			t.Check(r.Reply.Status == http.StatusNotFound && !r.Reply.FromBackend(), "%s: got %s, want the gateway's 404 (op %s)", gw.Ref, ask.Said(r), r.Op.ID)
			t.Check(r.Op.Reused == carried, "%s: the connection had carried %d requests, want %d: the gateway closed it without a word (op %s)", gw.Ref, r.Op.Reused, carried, r.Op.ID)
			if carried++; r.Reply.Close {
				carried = 0
			}
			judge(gw, r.Reply)
		}
	}
}
