package routing

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that pairs hosts and paths one by one, or loses one of the
// pairs.
var routeHostsUris = spec.Case{
	ID: "ROUTE-HOSTS-URIS", Level: spec.Must, Needs: []spec.Feature{spec.RouteHost, spec.RouteURI},
	Title: "A route with several hosts and several paths serves every pair of them and nothing else.",
	Refs:  []string{"APISIX 3.18 route.hosts and route.uris"},
	After: []string{"ROUTE-URIS", "ROUTE-HOSTS"},
	Objects: `
-- routes/{{.ID}}-a --
{"hosts": ["one.{{.Host}}", "two.{{.Host}}"], "uris": ["/p", "/q/*"], "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-b --
{"host": "two.{{.Host}}", "uri": "/q/own", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}
`,
	Backends: 2,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		ask.Route(ctx, t,
			ask.Expect{Host: "one." + h, Target: "/p", Want: 0, Why: "first and first"},
			ask.Expect{Host: "one." + h, Target: "/q/x", Want: 0, Why: "first and second"},
			ask.Expect{Host: "two." + h, Target: "/p", Want: 0, Why: "second and first"},
			ask.Expect{Host: "two." + h, Target: "/q/x", Want: 0, Why: "second and second"},
			ask.Expect{Host: "one." + h, Target: "/q/own", Want: 0, Why: "another host has this path"},
			ask.Expect{Host: "two." + h, Target: "/q/own", Want: 1, Why: "the better path of this host"},
			ask.Expect{Host: "one." + h, Target: "/r", Want: ask.None, Why: "no such path"},
			ask.Expect{Host: "three." + h, Target: "/p", Want: ask.None, Why: "no such host"},
		)
	},
}
