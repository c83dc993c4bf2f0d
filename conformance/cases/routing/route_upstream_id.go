package routing

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that wants the upstream inside the route, or mixes up
// upstreams.
var routeUpstreamId = spec.Case{
	ID: "ROUTE-UPSTREAM-ID", Level: spec.Must, Needs: []spec.Feature{spec.RouteReferences},
	Title: "Routes go to the upstream that they name by its id, and several may name one.",
	Refs:  []string{"APISIX 3.18 route.upstream_id"},
	After: []string{"ROUTE-EXACT"},
	Objects: `
-- upstreams/{{.ID}}-u --
{"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}
-- upstreams/{{.ID}}-v --
{"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}
-- routes/{{.ID}}-a --
{"host": "{{.Host}}", "uri": "/a", "upstream_id": "{{.ID}}-u"}
-- routes/{{.ID}}-b --
{"host": "{{.Host}}", "uri": "/b", "upstream_id": "{{.ID}}-v"}
-- routes/{{.ID}}-c --
{"host": "{{.Host}}", "uri": "/c", "upstream_id": "{{.ID}}-u"}
`,
	Backends: 2,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		ask.Route(ctx, t,
			ask.Expect{Host: h, Target: "/a", Want: 0, Why: "the upstream that it names"},
			ask.Expect{Host: h, Target: "/b", Want: 1, Why: "the other"},
			ask.Expect{Host: h, Target: "/c", Want: 0, Why: "the same as the first"},
		)
	},
}
