package routing

import (
	"context"
	"strings"

	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway that answers with a page of its own, or under a name that
// clients of APISIX do not expect.
var routeNoneAsAPISIX = spec.Case{
	ID: "ROUTE-NONE-AS-APISIX", Level: spec.Must, Needs: []spec.Feature{spec.RouteAnswers},
	Title: "The answer to a request that no route matches is APISIX's: its JSON, and its name in Server.",
	Refs:  []string{"APISIX 3.18 answer without a route"},
	After: []string{"ROUTE-NONE-404"},
	Run: func(ctx context.Context, t *spec.T) {
		const want = `{"error_msg":"404 Route Not Found"}` + "\n"
		unrouted(ctx, t, func(gw spec.Gateway, r *traffic.Reply) {
			t.Check(string(r.Body) == want, "%s: got body %q, want %q", gw.Ref, r.Body, want)
			server := r.Header.Get("Server")
			t.Check(strings.HasPrefix(server, "APISIX/"), "%s: got Server %q, want APISIX/ and a version", gw.Ref, server)
		})
	},
}
