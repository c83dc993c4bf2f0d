package routing

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that takes the first prefix written, the one with the
// higher priority, or that gives up when the conditions of the longest fail.
var routePrefixLongest = spec.Case{
	ID: "ROUTE-PREFIX-LONGEST", Level: spec.Must, Needs: []spec.Feature{spec.RouteURI, spec.RouteMethods, spec.RoutePriority},
	Title: "Of several prefixes that match the longest wins, whatever the priorities, and when its conditions fail the next shorter one is tried.",
	Refs:  []string{"APISIX 3.18 router radixtree_host_uri", "apache/apisix issues 2423 and 9366"},
	After: []string{"ROUTE-PREFIX"},
	Objects: `
-- routes/{{.ID}}-a --
{"host": "{{.Host}}", "uri": "/a/*", "priority": 10, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-b --
{"host": "{{.Host}}", "uri": "/a/b/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}
-- routes/{{.ID}}-c --
{"host": "{{.Host}}", "uri": "/a/b/only-post*", "methods": ["POST"], "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 2}}": 1}}}
`,
	Backends: 3,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		ask.Route(ctx, t,
			ask.Expect{Host: h, Target: "/a/x", Want: 0, Why: "only the short prefix matches"},
			ask.Expect{Host: h, Target: "/a/b", Want: 0, Why: "the long prefix ends with a slash"},
			ask.Expect{Host: h, Target: "/a/b/c", Want: 1, Why: "the longer prefix beats a higher priority"},
			ask.Expect{Host: h, Method: "POST", Target: "/a/b/only-post", Want: 2, Why: "the longest prefix"},
			ask.Expect{Host: h, Target: "/a/b/only-post", Want: 1, Why: "the method fails, the next shorter prefix is tried"},
		)
	},
}
