package routing

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that cannot run a function and serves its route to everybody.
var routeFilterFunc = spec.Case{
	ID: "ROUTE-FILTER-FUNC", Level: spec.Must, Needs: []spec.Feature{spec.RouteVars, spec.RoutePriority},
	Title: "A route takes no request that its filter_func does not want, also where functions cannot be run.",
	Refs:  []string{"APISIX 3.18 route.filter_func", "docs/routing.md"},
	After: []string{"ROUTE-PRIORITY"},
	Objects: `
-- routes/{{.ID}}-a --
{"host": "{{.Host}}", "uri": "/x", "filter_func": "function(vars) return false end", "priority": 9, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-b --
{"host": "{{.Host}}", "uri": "/x", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}
`,
	Backends: 2,
	Run: func(ctx context.Context, t *spec.T) {
		ask.Route(ctx, t, ask.Expect{Host: t.Host(), Target: "/x", Want: 1, Why: "the function of the other route wants nothing"})
	},
}
