package routing

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that cuts an IPv6 literal at its first colon, or knows
// names only.
var routeHostAddress = spec.Case{
	ID: "ROUTE-HOST-ADDRESS", Level: spec.Must, Needs: []spec.Feature{spec.RouteHost},
	Title: "An IPv4 or IPv6 literal in Host is a host like any other.",
	Refs:  []string{"RFC 3986 3.2.2, IP-literal", "APISIX 3.18 route.host"},
	After: []string{"ROUTE-HOST-PORT", "ROUTE-HOST-FALLTHROUGH"},
	Objects: `
-- routes/{{.ID}}-a --
{"host": "198.51.100.77", "uri": "/{{.ID}}", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-b --
{"host": "[2001:db8::77]", "uri": "/{{.ID}}", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}
-- routes/{{.ID}}-c --
{"uri": "/{{.ID}}", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 2}}": 1}}}
`,
	Backends: 3,
	Run: func(ctx context.Context, t *spec.T) {
		ask.Route(ctx, t,
			ask.Expect{Host: "198.51.100.77", Target: "/" + t.ID(), Want: 0, Why: "an IPv4 address"},
			ask.Expect{Host: "198.51.100.77:8080", Target: "/" + t.ID(), Want: 0, Why: "with a port"},
			ask.Expect{Host: "[2001:db8::77]", Target: "/" + t.ID(), Want: 1, Why: "an IPv6 address"},
			ask.Expect{Host: "[2001:DB8::77]:8080", Target: "/" + t.ID(), Want: 1, Why: "with a port, in capitals"},
			ask.Expect{Host: "198.51.100.78", Target: "/" + t.ID(), Want: 2, Why: "another address"},
			ask.Expect{Host: "[2001:db8::78]", Target: "/" + t.ID(), Want: 2, Why: "another address"},
		)
	},
}
