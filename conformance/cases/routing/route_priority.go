package routing

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that takes the route that was written first or last, the
// lowest priority, or that has another default than 0.
var routePriority = spec.Case{
	ID: "ROUTE-PRIORITY", Level: spec.Must, Needs: []spec.Feature{spec.RoutePriority},
	Title: "Of routes with one path the one with the highest priority wins; a route that does not say has 0.",
	Refs:  []string{"APISIX 3.18 router radixtree_host_uri, order inside one path", "APISIX 3.18 route.priority"},
	Objects: `
-- routes/{{.ID}}-a --
{"host": "{{.Host}}", "uri": "/high", "priority": 3, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-b --
{"host": "{{.Host}}", "uri": "/high", "priority": 7, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}
-- routes/{{.ID}}-c --
{"host": "{{.Host}}", "uri": "/high", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 2}}": 1}}}
-- routes/{{.ID}}-d --
{"host": "{{.Host}}", "uri": "/low*", "priority": -1, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 3}}": 1}}}
-- routes/{{.ID}}-e --
{"host": "{{.Host}}", "uri": "/low*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 4}}": 1}}}
-- routes/{{.ID}}-f --
{"host": "{{.Host}}", "uri": "/low*", "priority": -2, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 5}}": 1}}}
`,
	Backends: 6,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		ask.Route(ctx, t,
			ask.Expect{Host: h, Target: "/high", Want: 1, Why: "7 is more than 3 and 0"},
			ask.Expect{Host: h, Target: "/low", Want: 4, Why: "0 is more than -1"},
			ask.Expect{Host: h, Target: "/lower", Want: 4, Why: "the same for a prefix"},
		)
	},
}
