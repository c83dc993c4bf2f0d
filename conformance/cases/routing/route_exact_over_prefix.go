package routing

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that compares priorities before kinds of match, or that
// answers 404 when the exact path's conditions fail.
var routeExactOverPrefix = spec.Case{
	ID: "ROUTE-EXACT-OVER-PREFIX", Level: spec.Must, Needs: []spec.Feature{spec.RouteURI, spec.RouteMethods, spec.RoutePriority},
	Title: "An exact path beats a prefix, whatever the priorities, and when its conditions fail the prefix is tried.",
	Refs:  []string{"APISIX 3.18 router radixtree_host_uri", "apache/apisix issue 2423"},
	After: []string{"ROUTE-EXACT", "ROUTE-PREFIX"},
	Objects: `
-- routes/{{.ID}}-a --
{"host": "{{.Host}}", "uri": "/p/*", "priority": 100, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-b --
{"host": "{{.Host}}", "uri": "/p/x", "methods": ["GET"], "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}
`,
	Backends: 2,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		ask.Route(ctx, t,
			ask.Expect{Host: h, Target: "/p/x", Want: 1, Why: "exact beats prefix"},
			ask.Expect{Host: h, Target: "/p/y", Want: 0, Why: "only the prefix matches"},
			ask.Expect{Host: h, Method: "PUT", Target: "/p/x", Want: 0, Why: "the method fails, the prefix is tried"},
		)
	},
}
