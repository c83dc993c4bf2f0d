package routing

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that takes every path for a prefix, or that matches the
// query string along with the path.
var routeExact = spec.Case{
	ID: "ROUTE-EXACT", Level: spec.Must, Needs: []spec.Feature{spec.RouteURI},
	Title: "A route whose path has no star matches that path only, with any query.",
	Refs:  []string{"APISIX 3.18 router radixtree_host_uri, full path match"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/exact", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
`,
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		ask.Route(ctx, t,
			ask.Expect{Host: h, Target: "/exact", Want: 0, Why: "the path itself"},
			ask.Expect{Host: h, Target: "/exact?a=/other", Want: 0, Why: "the query takes no part"},
			ask.Expect{Host: h, Target: "/exact/", Want: ask.None, Why: "a slash more is another path"},
			ask.Expect{Host: h, Target: "/exactly", Want: ask.None, Why: "not a prefix"},
			ask.Expect{Host: h, Target: "/exac", Want: ask.None, Why: "shorter"},
			ask.Expect{Host: h, Target: "/EXACT", Want: ask.None, Why: "case counts in paths"},
		)
	},
}
