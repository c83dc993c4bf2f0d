package routing

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that ignores methods, answers 405, or takes HEAD for GET.
var routeMethod = spec.Case{
	ID: "ROUTE-METHOD", Level: spec.Must, Needs: []spec.Feature{spec.RouteMethods},
	Title: "A route with methods serves those methods and no other; HEAD is not implied by GET.",
	Refs:  []string{"APISIX 3.18 route.methods"},
	Objects: `
-- routes/{{.ID}}-a --
{"host": "{{.Host}}", "uri": "/m", "methods": ["GET"], "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-b --
{"host": "{{.Host}}", "uri": "/m", "methods": ["POST", "PUT"], "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}
`,
	Backends: 2,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		ask.Route(ctx, t,
			ask.Expect{Host: h, Method: "GET", Target: "/m", Want: 0, Why: "listed"},
			ask.Expect{Host: h, Method: "POST", Target: "/m", Want: 1, Why: "listed first"},
			ask.Expect{Host: h, Method: "PUT", Target: "/m", Want: 1, Why: "listed second"},
			ask.Expect{Host: h, Method: "DELETE", Target: "/m", Want: ask.None, Why: "not listed"},
			ask.Expect{Host: h, Method: "HEAD", Target: "/m", Want: ask.None, Why: "GET does not imply HEAD"},
		)
	},
}
