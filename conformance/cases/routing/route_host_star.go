package routing

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that takes the host "*" for a name, or for the same as no
// host at all.
var routeHostStar = spec.Case{
	ID: "ROUTE-HOST-STAR", Level: spec.Must, Needs: []spec.Feature{spec.RouteHost, spec.RoutePriority},
	Title: "The host * covers every host, behind all other wildcards and before routes without hosts.",
	Refs:  []string{"APISIX 3.18 router radixtree_host_uri, order of hosts"},
	After: []string{"ROUTE-HOST-FALLTHROUGH"},
	Objects: `
-- routes/{{.ID}}-a --
{"uris": ["/{{.ID}}/all", "/{{.ID}}/bare"], "priority": 50, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-b --
{"host": "*", "uri": "/{{.ID}}/all", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}
-- routes/{{.ID}}-c --
{"host": "*.{{.Host}}", "uri": "/{{.ID}}/all", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 2}}": 1}}}
`,
	Backends: 3,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		ask.Route(ctx, t,
			ask.Expect{Host: "any.example", Target: "/" + t.ID() + "/all", Want: 1, Why: "before a route without hosts"},
			ask.Expect{Host: h, Target: "/" + t.ID() + "/all", Want: 1, Why: "every host"},
			ask.Expect{Host: "x." + h, Target: "/" + t.ID() + "/all", Want: 2, Why: "behind every other wildcard"},
			ask.Expect{Host: "x." + h, Target: "/" + t.ID() + "/bare", Want: 0, Why: "no host has the path"},
		)
	},
}
