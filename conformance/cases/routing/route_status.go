package routing

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that serves a route that is switched off, or answers 404
// in its place.
var routeStatus = spec.Case{
	ID: "ROUTE-STATUS", Level: spec.Must, Needs: []spec.Feature{spec.RouteStatus, spec.RoutePriority},
	Title: "A route with status 0 takes no part: the next best serves, or nobody.",
	Refs:  []string{"APISIX 3.18 route.status"},
	After: []string{"ROUTE-EXACT-OVER-PREFIX", "ROUTE-HOST-FALLTHROUGH"},
	Objects: `
-- routes/{{.ID}}-a --
{"host": "{{.Host}}", "uri": "/x", "status": 0, "priority": 9, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-b --
{"host": "{{.Host}}", "uri": "/*", "status": 1, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}
-- routes/{{.ID}}-c --
{"host": "*.{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}
-- routes/{{.ID}}-d --
{"host": "off.{{.Host}}", "uri": "/*", "status": 0, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-e --
{"host": "alone-{{.Host}}", "uri": "/*", "status": 0, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
`,
	Backends: 2,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		ask.Route(ctx, t,
			ask.Expect{Host: h, Target: "/x", Want: 1, Why: "the exact path is off: the prefix"},
			ask.Expect{Host: h, Target: "/y", Want: 1, Why: "status 1 is on"},
			ask.Expect{Host: "off." + h, Target: "/", Want: 1, Why: "the host is off: the wildcard"},
			ask.Expect{Host: "alone-" + h, Target: "/", Want: ask.None, Why: "nobody else"},
		)
	},
}
