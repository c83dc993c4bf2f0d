package routing

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that does not know a name that is written with the dot of
// the root.
var routeHostDot = spec.Case{
	ID: "ROUTE-HOST-DOT", Level: spec.Should, Needs: []spec.Feature{spec.RouteHost},
	Title: "A dot at the end of Host makes no difference.",
	Refs:  []string{"APISIX 3.18 matches nginx $host, which has no dot at the end", "RFC 1034 3.1, absolute domain names"},
	After: []string{"ROUTE-HOST-PORT"},
	Objects: `
-- routes/{{.ID}}-a --
{"host": "one.{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-b --
{"host": "*.{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}
`,
	Backends: 2,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		ask.Route(ctx, t,
			ask.Expect{Host: "one." + h + ".", Target: "/", Want: 0, Why: "a dot"},
			ask.Expect{Host: "one." + h + ".:8080", Target: "/", Want: 0, Why: "a dot and a port"},
			ask.Expect{Host: "two." + h + ".", Target: "/", Want: 1, Why: "below a wildcard"},
		)
	},
}
