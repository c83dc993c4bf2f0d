package routing

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that copies a service into its routes when they are
// written.
var routeServiceEdited = spec.Case{
	ID: "ROUTE-SERVICE-EDITED", Level: spec.Must, Needs: []spec.Feature{spec.RouteReferences},
	Title: "When the upstream of a service changes its routes follow, except those that have their own.",
	Refs:  []string{"APISIX 3.18 route.service_id, merge of route and service"},
	After: []string{"ROUTE-SERVICE-OVERRIDE"},
	Objects: `
-- upstreams/{{.ID}}-u --
{"type": "roundrobin", "nodes": {"{{index .Backends 2}}": 1}}
-- services/{{.ID}}-s --
{"upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-a --
{"host": "{{.Host}}", "uri": "/a", "service_id": "{{.ID}}-s"}
-- routes/{{.ID}}-b --
{"host": "{{.Host}}", "uri": "/b", "service_id": "{{.ID}}-s", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 3}}": 1}}}
`,
	Backends: 4,
	Run: func(ctx context.Context, t *spec.T) {
		for want, service := range []string{
			`{"upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}`,
			`{"upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}`,
			`{"upstream_id": "{{.ID}}-u"}`,
		} {
			t.Put(ctx, "services/"+t.Name("s"), t.Render(service))
			t.Wait(ctx)
			ask.Route(ctx, t,
				ask.Expect{Host: t.Host(), Target: "/a", Want: want, Why: "a route without an upstream"},
				ask.Expect{Host: t.Host(), Target: "/b", Want: 3, Why: "a route with its own"},
			)
		}
	},
}
