package routing

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that serves the first of several hosts only, or ranks a
// route by its best host whichever host matched.
var routeHosts = spec.Case{
	ID: "ROUTE-HOSTS", Level: spec.Must, Needs: []spec.Feature{spec.RouteHost, spec.RoutePriority},
	Title: "A route with several hosts is ranked, for each request, by the host that matched.",
	Refs:  []string{"APISIX 3.18 route.hosts", "APISIX 3.18 router radixtree_host_uri, order of hosts"},
	After: []string{"ROUTE-HOST-WILDCARD", "ROUTE-PRIORITY"},
	Objects: `
-- routes/{{.ID}}-a --
{"hosts": ["x.{{.Host}}", "*.{{.Host}}"], "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-b --
{"host": "*.y.{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}
-- routes/{{.ID}}-c --
{"host": "x.{{.Host}}", "uri": "/*", "priority": 1, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 2}}": 1}}}
`,
	Backends: 3,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		ask.Route(ctx, t,
			ask.Expect{Host: "q." + h, Target: "/", Want: 0, Why: "by its wildcard"},
			ask.Expect{Host: "z.y." + h, Target: "/", Want: 1, Why: "the longer wildcard beats it"},
			ask.Expect{Host: "y." + h, Target: "/", Want: 0, Why: "which does not cover its own domain"},
			ask.Expect{Host: "x." + h, Target: "/", Want: 2, Why: "on its exact host priority decides"},
			ask.Expect{Host: h, Target: "/", Want: ask.None, Why: "none of the hosts"},
		)
	},
}
