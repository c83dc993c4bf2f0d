package routing

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that takes a method that it does not know for GET, or for
// one that is listed, or does not forward it.
var routeMethodUnknown = spec.Case{
	ID: "ROUTE-METHOD-UNKNOWN", Level: spec.Must, Needs: []spec.Feature{spec.RouteMethods, spec.RoutePriority},
	Title: "A method that nobody knows never finds a route with methods, and goes through a route without.",
	Refs:  []string{"APISIX 3.18 route.methods, unknown methods", "RFC 9110 9.1, methods are extensible"},
	After: []string{"ROUTE-METHODS-ALL", "ROUTE-PRIORITY"},
	Objects: `
-- routes/{{.ID}}-a --
{"host": "{{.Host}}", "uri": "/listed", "methods": ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "PURGE"], "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-b --
{"host": "{{.Host}}", "uri": "/free", "methods": ["GET"], "priority": 1, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-c --
{"host": "{{.Host}}", "uri": "/free", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}
`,
	Backends: 2,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		ask.Route(ctx, t,
			ask.Expect{Method: "BREW", Host: h, Target: "/listed", Want: ask.None, Why: "not in the list"},
			ask.Expect{Method: "BREW", Host: h, Target: "/free", Want: 1, Why: "the route without methods"},
			ask.Expect{Method: "PROPFIND", Host: h, Target: "/free", Want: 1, Why: "the route without methods"},
			ask.Expect{Host: h, Target: "/free", Want: 0, Why: "in the list"},
		)
	},
}
