package routing

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that stops at the route with the highest priority when its
// conditions fail, or asks the others in another order.
var routePriorityConditions = spec.Case{
	ID: "ROUTE-PRIORITY-CONDITIONS", Level: spec.Must, Needs: []spec.Feature{spec.RoutePriority, spec.RouteMethods},
	Title: "When the conditions of the route with the highest priority fail the next lower priority is tried.",
	Refs:  []string{"APISIX 3.18 router radixtree_host_uri, the search goes on"},
	After: []string{"ROUTE-PRIORITY", "ROUTE-METHOD"},
	Objects: `
-- routes/{{.ID}}-a --
{"host": "{{.Host}}", "uri": "/c", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-b --
{"host": "{{.Host}}", "uri": "/c", "priority": 5, "methods": ["PUT", "POST"], "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}
-- routes/{{.ID}}-c --
{"host": "{{.Host}}", "uri": "/c", "priority": 10, "methods": ["POST"], "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 2}}": 1}}}
`,
	Backends: 3,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		ask.Route(ctx, t,
			ask.Expect{Method: "POST", Host: h, Target: "/c", Want: 2, Why: "the highest priority"},
			ask.Expect{Method: "PUT", Host: h, Target: "/c", Want: 1, Why: "the second"},
			ask.Expect{Host: h, Target: "/c", Want: 0, Why: "the last"},
			ask.Expect{Method: "DELETE", Host: h, Target: "/c", Want: 0, Why: "the last"},
		)
	},
}
