package routing

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that takes the length of the whole path for that of the prefix, or
// forgets it among prefixes that are the same.
var routePrefixSame = spec.Case{
	ID: "ROUTE-PREFIX-SAME", Level: spec.Must, Needs: []spec.Feature{spec.RouteStarInside, spec.RoutePriority, spec.RouteMethods},
	Title: "Among paths with the same text before their first star the priority decides, then the length of the path; a longer such text beats both.",
	Refs:  []string{"APISIX 3.18 router radixtree_host_uri, lua-resty-radixtree 2.9.2"},
	After: []string{"ROUTE-STAR-INSIDE", "ROUTE-PRIORITY"},
	Objects: `
-- routes/{{.ID}}-a --
{"host": "{{.Host}}", "uri": "/p/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-b --
{"host": "{{.Host}}", "uri": "/p/*/end", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}
-- routes/{{.ID}}-c --
{"host": "{{.Host}}", "uri": "/p/*", "methods": ["PUT"], "priority": 1, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 2}}": 1}}}
-- routes/{{.ID}}-d --
{"host": "{{.Host}}", "uri": "/p/q*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 3}}": 1}}}
`,
	Backends: 4,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		ask.Route(ctx, t,
			ask.Expect{Host: h, Target: "/p/x/end", Want: 1, Why: "the longer path"},
			ask.Expect{Host: h, Target: "/p/x", Want: 0, Why: "the longer path does not match"},
			ask.Expect{Host: h, Method: "PUT", Target: "/p/x/end", Want: 2, Why: "the priority before the length"},
			ask.Expect{Host: h, Target: "/p/q/end", Want: 3, Why: "a longer prefix, though the path is shorter"},
			ask.Expect{Host: h, Method: "PUT", Target: "/p/q/end", Want: 3, Why: "a longer prefix before the priority"},
		)
	},
}
