package routing

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// byChance is how often a question is asked that a gateway answers well by chance. Go
// takes two keys of a small map in the wrong order one time in eight, so this
// lets one run in 43,000 pass on one gateway.
const byChance = 80

// Catches a gateway whose wildcard covers one label only or the domain itself,
// and one that lets priority, order or the iteration of a map
// decide between hosts.
var routeHostWildcard = spec.Case{
	ID: "ROUTE-HOST-WILDCARD", Level: spec.Must, Needs: []spec.Feature{spec.RouteHost, spec.RoutePriority},
	Title: "A wildcard host covers names of any depth below it but not the domain itself; the exact host and the longer wildcard win.",
	Refs:  []string{"APISIX 3.18 router radixtree_host_uri, order of hosts"},
	After: []string{"ROUTE-HOST"},
	Objects: `
-- routes/{{.ID}}-a --
{"host": "*.{{.Host}}", "uri": "/*", "priority": 5, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-b --
{"host": "*.deep.{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}
-- routes/{{.ID}}-c --
{"host": "x.{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 2}}": 1}}}
`,
	Backends: 3,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		ask.Route(ctx, t,
			ask.Expect{Host: "a." + h, Target: "/", Want: 0, Why: "one label below"},
			ask.Expect{Host: "a.b." + h, Target: "/", Want: 0, Why: "two labels below"},
			ask.Expect{Host: h, Target: "/", Want: ask.None, Why: "the domain itself"},
			ask.Expect{Host: "a" + h, Target: "/", Want: ask.None, Why: "the dot belongs to the suffix"},
			ask.Expect{Host: "x." + h, Target: "/", Want: 2, Why: "the exact host wins over a higher priority"},
			ask.Expect{Host: "y.deep." + h, Target: "/", Want: 1, Times: byChance, Why: "the longer suffix wins over a higher priority"},
			ask.Expect{Host: "deep." + h, Target: "/", Want: 0, Why: "the longer wildcard does not cover its own domain"},
		)
	},
}
