package routing

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that serves the first of several paths only, or ranks a
// route by its best path whichever path matched.
var routeUris = spec.Case{
	ID: "ROUTE-URIS", Level: spec.Must, Needs: []spec.Feature{spec.RouteURI, spec.RoutePriority},
	Title: "A route with several paths serves each of them, and each path has its own rank.",
	Refs:  []string{"APISIX 3.18 route.uris", "APISIX 3.18 router radixtree_host_uri, one entry a path"},
	After: []string{"ROUTE-EXACT-OVER-PREFIX"},
	Objects: `
-- routes/{{.ID}}-a --
{"host": "{{.Host}}", "uris": ["/one", "/two/*", "/three/x"], "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-b --
{"host": "{{.Host}}", "uri": "/two/exact", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}
-- routes/{{.ID}}-c --
{"host": "{{.Host}}", "uri": "/three/*", "priority": 5, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 2}}": 1}}}
-- routes/{{.ID}}-d --
{"host": "{{.Host}}", "uri": "/one", "priority": -5, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 3}}": 1}}}
`,
	Backends: 4,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		ask.Route(ctx, t,
			ask.Expect{Host: h, Target: "/one", Want: 0, Why: "first path"},
			ask.Expect{Host: h, Target: "/two/y", Want: 0, Why: "second path, a prefix"},
			ask.Expect{Host: h, Target: "/three/x", Want: 0, Why: "third path, exact"},
			ask.Expect{Host: h, Target: "/two/exact", Want: 1, Why: "an exact path beats the second"},
			ask.Expect{Host: h, Target: "/three/y", Want: 2, Why: "below the third, which is exact"},
			ask.Expect{Host: h, Target: "/two", Want: ask.None, Why: "no path at all"},
			ask.Expect{Host: h, Target: "/three", Want: ask.None, Why: "no path at all"},
		)
	},
}
