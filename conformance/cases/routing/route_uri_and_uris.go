package routing

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway on which adding a list to a route that has one path changes nothing,
// or adds to that one.
var routeURIAndURIs = spec.Case{
	ID: "ROUTE-URI-AND-URIS", Level: spec.Must, Needs: []spec.Feature{spec.RouteURI},
	Title: "Of one path and a list of paths in the same route the list counts alone.",
	Refs:  []string{"APISIX 3.18 routers: route.value.uris or route.value.uri"},
	After: []string{"ROUTE-URIS"},
	Objects: `
-- routes/{{.ID}}-a --
{"host": "{{.Host}}", "uri": "/one", "uris": ["/two", "/three"], "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-rest --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}
`,
	Backends: 2,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		ask.Route(ctx, t,
			ask.Expect{Host: h, Target: "/two", Want: 0, Why: "of the lists"},
			ask.Expect{Host: h, Target: "/three", Want: 0, Why: "of the lists"},
			ask.Expect{Host: h, Target: "/one", Want: 1, Why: "the single path beside a list"},
		)
	},
}
