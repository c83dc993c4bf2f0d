package routing

import (
	"context"
	"net/http"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that goes on serving from an upstream or a service that is
// gone, or forgets the route for good.
var routeReferenceGone = spec.Case{
	ID: "ROUTE-REFERENCE-GONE", Level: spec.Must, Needs: []spec.Feature{spec.RouteReferences, spec.AdminReferences},
	Title: "While its service is gone a route is answered 404, while its upstream is gone 502; both serve again once it is back.",
	Refs:  []string{"APISIX 3.18 answers of the gateway itself", "APISIX 3.18 Admin API, DELETE with force=true"},
	After: []string{"ROUTE-SERVICE"},
	Objects: `
-- upstreams/{{.ID}}-u --
{"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}
-- services/{{.ID}}-s --
{"upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-a --
{"host": "{{.Host}}", "uri": "/up", "upstream_id": "{{.ID}}-u"}
-- routes/{{.ID}}-b --
{"host": "{{.Host}}", "uri": "/svc", "service_id": "{{.ID}}-s"}
-- routes/{{.ID}}-c --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}
`,
	Backends: 2,
	Run: func(ctx context.Context, t *spec.T) {
		up := ask.Expect{Host: t.Host(), Target: "/up", Want: 0, Why: "its upstream is there"}
		svc := ask.Expect{Host: t.Host(), Target: "/svc", Want: 0, Why: "its service is there"}
		other := ask.Expect{Host: t.Host(), Target: "/other", Want: 1, Why: "a route that needs neither"}
		ask.Route(ctx, t, up, svc, other)

		t.Step("the upstream goes")
		ask.Answered(ctx, t, spec.Call{Method: http.MethodDelete, Path: "/upstreams/" + t.Name("u") + "?force=true"}, http.StatusOK)
		t.Wait(ctx)
		refused(ctx, t, []int{http.StatusBadGateway}, ask.Expect{Host: t.Host(), Target: "/up", Why: "its upstream is gone"})
		ask.Route(ctx, t, svc, other)

		t.Step("the service goes")
		ask.Answered(ctx, t, spec.Call{Method: http.MethodDelete, Path: "/services/" + t.Name("s") + "?force=true"}, http.StatusOK)
		t.Wait(ctx)
		refused(ctx, t, []int{http.StatusNotFound}, ask.Expect{Host: t.Host(), Target: "/svc", Why: "its service is gone, and the prefix is no substitute"})
		ask.Route(ctx, t, other)

		t.Step("both come back")
		t.Put(ctx, "upstreams/"+t.Name("u"), t.Render(`{"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}`))
		t.Put(ctx, "services/"+t.Name("s"), t.Render(`{"upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}`))
		t.Wait(ctx)
		ask.Route(ctx, t, up, svc, other)
	},
}
