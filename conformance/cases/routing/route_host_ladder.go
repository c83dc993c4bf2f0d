package routing

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that tries the most specific wildcard only, or gives up
// when methods fail on a host that has the path.
var routeHostLadder = spec.Case{
	ID: "ROUTE-HOST-LADDER", Level: spec.Must, Needs: []spec.Feature{spec.RouteHost, spec.RouteMethods, spec.RoutePriority},
	Title: "Wildcard hosts are tried from the longest to the shortest until path and conditions hold.",
	Refs:  []string{"APISIX 3.18 router radixtree_host_uri, order of hosts and fall-through"},
	After: []string{"ROUTE-HOST-FALLTHROUGH", "ROUTE-METHOD"},
	Objects: `
-- routes/{{.ID}}-a --
{"host": "x.a.b.{{.Host}}", "uri": "/*", "methods": ["POST"], "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-b --
{"host": "*.a.b.{{.Host}}", "uri": "/1", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}
-- routes/{{.ID}}-c --
{"host": "*.b.{{.Host}}", "uris": ["/1", "/2"], "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 2}}": 1}}}
-- routes/{{.ID}}-d --
{"host": "*.{{.Host}}", "uri": "/*", "priority": 9, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 3}}": 1}}}
`,
	Backends: 4,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		ask.Route(ctx, t,
			ask.Expect{Method: "POST", Host: "x.a.b." + h, Target: "/1", Want: 0, Why: "the exact host"},
			ask.Expect{Host: "x.a.b." + h, Target: "/1", Want: 1, Why: "its method fails: the longest wildcard"},
			ask.Expect{Host: "x.a.b." + h, Target: "/2", Want: 2, Why: "no such path there: the next wildcard"},
			ask.Expect{Host: "x.a.b." + h, Target: "/3", Want: 3, Why: "no such path there: the shortest"},
			ask.Expect{Host: "a.b." + h, Target: "/1", Want: 2, Why: "the longest does not cover its own domain"},
			ask.Expect{Host: "b." + h, Target: "/2", Want: 3, Why: "nor does the next"},
		)
	},
}
