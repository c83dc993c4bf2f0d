package routing

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that does not know services, or does not follow a service
// to its upstream.
var routeService = spec.Case{
	ID: "ROUTE-SERVICE", Level: spec.Must, Needs: []spec.Feature{spec.RouteReferences},
	Title: "A route without an upstream of its own takes that of its service, written inside or named by id.",
	Refs:  []string{"APISIX 3.18 route.service_id, merge of route and service"},
	After: []string{"ROUTE-UPSTREAM-ID"},
	Objects: `
-- upstreams/{{.ID}}-u --
{"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}
-- services/{{.ID}}-in --
{"upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- services/{{.ID}}-by --
{"upstream_id": "{{.ID}}-u"}
-- routes/{{.ID}}-a --
{"host": "{{.Host}}", "uri": "/in", "service_id": "{{.ID}}-in"}
-- routes/{{.ID}}-b --
{"host": "{{.Host}}", "uri": "/by", "service_id": "{{.ID}}-by"}
-- routes/{{.ID}}-c --
{"host": "{{.Host}}", "uri": "/in/*", "service_id": "{{.ID}}-in"}
`,
	Backends: 2,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		ask.Route(ctx, t,
			ask.Expect{Host: h, Target: "/in", Want: 0, Why: "inside the service"},
			ask.Expect{Host: h, Target: "/by", Want: 1, Why: "named by the service"},
			ask.Expect{Host: h, Target: "/in/x", Want: 0, Why: "a second route of the service"},
		)
	},
}
