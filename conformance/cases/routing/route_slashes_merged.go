package routing

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that takes repeated slashes for empty segments, so that
// //admin passes by the route of /admin.
var routeSlashesMerged = spec.Case{
	ID: "ROUTE-SLASHES-MERGED", Level: spec.Must, Needs: []spec.Feature{spec.RouteNormalPath},
	Title: "Repeated slashes count as one.",
	Refs:  []string{"APISIX 3.18 matches nginx $uri, merge_slashes is on"},
	After: []string{"ROUTE-EXACT"},
	Objects: `
-- routes/{{.ID}}-a --
{"host": "{{.Host}}", "uri": "/a/b", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-b --
{"host": "{{.Host}}", "uri": "/pre/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}
`,
	Backends: 2,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		ask.Route(ctx, t,
			ask.Expect{Host: h, Target: "//a/b", Want: 0, Why: "at the beginning"},
			ask.Expect{Host: h, Target: "/a//b", Want: 0, Why: "between"},
			ask.Expect{Host: h, Target: "/a///b", Want: 0, Why: "three"},
			ask.Expect{Host: h, Target: "/a/%2Fb", Want: 0, Why: "one of them encoded"},
			ask.Expect{Host: h, Target: "/pre//x", Want: 1, Why: "in a prefix"},
			ask.Expect{Host: h, Target: "/a/b//", Want: ask.None, Why: "the slash at the end is one more, however often"},
		)
	},
}
