package routing

import (
	"context"
	"net/http"
	"strings"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway that answers with a page of its own, with 502 or 503, with
// an empty body, or that closes the connection without saying so. (A gateway may
// announce the end of a connection whose request body it does not want to read.)
var routeNone404 = spec.Case{
	ID: "ROUTE-NONE-404", Level: spec.Must, Needs: []spec.Feature{spec.RouteURI},
	Title: "A request that no route matches gets 404 with APISIX's JSON and name, and the connection stays usable unless the answer says otherwise.",
	Refs:  []string{"APISIX 3.18 answer without a route"},
	Run: func(ctx context.Context, t *spec.T) {
		const want = `{"error_msg":"404 Route Not Found"}` + "\n"
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
				t.Check(r.Reply.Status == http.StatusNotFound, "%s: got %d, want 404", gw.Ref, r.Reply.Status)
				t.Check(string(r.Reply.Body) == want, "%s: got body %q, want %q", gw.Ref, r.Reply.Body, want)
				server := r.Reply.Header.Get("Server")
				t.Check(strings.HasPrefix(server, "APISIX/"), "%s: got Server %q, want APISIX/ and a version", gw.Ref, server)
				t.Check(r.Op.Reused == carried, "%s: the connection had carried %d requests, want %d: the gateway closed it without a word (op %s)", gw.Ref, r.Op.Reused, carried, r.Op.ID)
				if carried++; r.Reply.Close {
					carried = 0
				}
			}
		}
	},
}
