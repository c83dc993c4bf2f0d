package routing

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that looks for the best path over all hosts, so that a
// route of a wildcard host or of no host takes requests away from a host of
// its own.
var routeHostOverPath = spec.Case{
	ID: "ROUTE-HOST-OVER-PATH", Level: spec.Must, Needs: []spec.Feature{spec.RouteHost, spec.RoutePriority},
	Title: "The more specific host wins whatever paths and priorities are.",
	Refs:  []string{"APISIX 3.18 router radixtree_host_uri, hosts form the first level"},
	After: []string{"ROUTE-HOST-WILDCARD"},
	Objects: `
-- routes/{{.ID}}-a --
{"host": "x.{{.Host}}", "uri": "/*", "priority": -9, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-b --
{"host": "*.{{.Host}}", "uri": "/deep/exact", "priority": 9, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}
-- routes/{{.ID}}-c --
{"uri": "/{{.ID}}/exact", "priority": 99, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 2}}": 1}}}
`,
	Backends: 3,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		ask.Route(ctx, t,
			ask.Expect{Host: "x." + h, Target: "/deep/exact", Want: 0, Why: "any path of the exact host beats the exact path of a wildcard"},
			ask.Expect{Host: "y." + h, Target: "/deep/exact", Want: 1, Why: "not the exact host"},
			ask.Expect{Host: "x." + h, Target: "/" + t.ID() + "/exact", Want: 0, Why: "and beats the exact path of a route without hosts"},
			ask.Expect{Host: "y." + h, Target: "/" + t.ID() + "/exact", Want: 2, Why: "the wildcard has no such path"},
		)
	},
}
