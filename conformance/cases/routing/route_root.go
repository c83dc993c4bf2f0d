package routing

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that takes "/" for a prefix, or does not find the root
// below "/*".
var routeRoot = spec.Case{
	ID: "ROUTE-ROOT", Level: spec.Must, Needs: []spec.Feature{spec.RouteURI, spec.RouteHost},
	Title: "The path / is the root alone, and the prefix /* is everything.",
	Refs:  []string{"APISIX 3.18 router radixtree_host_uri, full path and deep prefix match"},
	After: []string{"ROUTE-EXACT", "ROUTE-PREFIX"},
	Objects: `
-- routes/{{.ID}}-a --
{"host": "one.{{.Host}}", "uri": "/", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-b --
{"host": "two.{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}
`,
	Backends: 2,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		ask.Route(ctx, t,
			ask.Expect{Host: "one." + h, Target: "/", Want: 0, Why: "the root"},
			ask.Expect{Host: "one." + h, Target: "/?q=/x", Want: 0, Why: "the root with a query"},
			ask.Expect{Host: "one." + h, Target: "/x", Want: ask.None, Why: "not the root"},
			ask.Expect{Host: "two." + h, Target: "/", Want: 1, Why: "the root"},
			ask.Expect{Host: "two." + h, Target: "/x/y.z?q", Want: 1, Why: "everything"},
		)
	},
}
