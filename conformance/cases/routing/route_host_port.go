package routing

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that keeps the port or the colon of a Host with an empty
// one.
var routeHostPort = spec.Case{
	ID: "ROUTE-HOST-PORT", Level: spec.Must, Needs: []spec.Feature{spec.RouteHost},
	Title: "No port in Host, an empty one and any other make no difference.",
	Refs:  []string{"RFC 9110 7.2, Host = uri-host [ \":\" port ]", "RFC 3986 3.2.3, the port may be empty", "APISIX 3.18 matches nginx $host, which has no port"},
	After: []string{"ROUTE-HOST", "ROUTE-HOST-WILDCARD"},
	Objects: `
-- routes/{{.ID}}-a --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-b --
{"host": "*.{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}
`,
	Backends: 2,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		ask.Route(ctx, t,
			ask.Expect{Host: h, Target: "/", Want: 0, Why: "no port"},
			ask.Expect{Host: h + ":", Target: "/", Want: 0, Why: "an empty port"},
			ask.Expect{Host: h + ":80", Target: "/", Want: 0, Why: "the usual port"},
			ask.Expect{Host: h + ":65535", Target: "/", Want: 0, Why: "another port"},
			ask.Expect{Host: "a.b." + h + ":81", Target: "/", Want: 1, Why: "below a wildcard"},
		)
	},
}
