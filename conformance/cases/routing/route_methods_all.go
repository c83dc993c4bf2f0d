package routing

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that knows a few methods only, or the first of a list.
var routeMethodsAll = spec.Case{
	ID: "ROUTE-METHODS-ALL", Level: spec.Must, Needs: []spec.Feature{spec.RouteMethods},
	Title: "Each of the usual methods can be listed, alone or with others.",
	Refs:  []string{"APISIX 3.18 route.methods", "RFC 9110 9.3", "RFC 5789 2, PATCH"},
	After: []string{"ROUTE-METHOD"},
	Objects: `
-- routes/{{.ID}}-a --
{"host": "{{.Host}}", "uri": "/m", "methods": ["GET", "HEAD", "OPTIONS", "DELETE"], "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-b --
{"host": "{{.Host}}", "uri": "/m", "methods": ["POST", "PUT", "PATCH", "PURGE"], "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}
`,
	Backends: 2,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		ask.Route(ctx, t,
			ask.Expect{Method: "GET", Host: h, Target: "/m", Want: 0, Why: "listed"},
			ask.Expect{Method: "PATCH", Host: h, Target: "/m", Want: 1, Why: "listed"},
			ask.Expect{Method: "HEAD", Host: h, Target: "/m", Want: 0, Why: "listed"},
			ask.Expect{Method: "POST", Host: h, Target: "/m", Want: 1, Why: "listed"},
			ask.Expect{Method: "OPTIONS", Host: h, Target: "/m", Want: 0, Why: "listed"},
			ask.Expect{Method: "PUT", Host: h, Target: "/m", Want: 1, Why: "listed"},
			ask.Expect{Method: "DELETE", Host: h, Target: "/m", Want: 0, Why: "listed"},
			ask.Expect{Method: "PURGE", Host: h, Target: "/m", Want: 1, Why: "listed"},
		)
	},
}
