package routing

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that decides the host first and then answers 404 when that
// host's routes have no such path (as virtual hosts of a web server do).
var routeHostFallthrough = spec.Case{
	ID: "ROUTE-HOST-FALLTHROUGH", Level: spec.Must, Needs: []spec.Feature{spec.RouteHost},
	Title: "When no route of the most specific host matches the path, wildcard hosts and then routes without hosts are tried.",
	Refs:  []string{"APISIX 3.18 router radixtree_host_uri, order of hosts"},
	After: []string{"ROUTE-HOST-WILDCARD"},
	Objects: `
-- routes/{{.ID}}-a --
{"host": "*.{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-b --
{"host": "x.{{.Host}}", "uri": "/only", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}
-- routes/{{.ID}}-c --
{"uri": "/{{.ID}}/any-host", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 2}}": 1}}}
`,
	Backends: 3,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		ask.Route(ctx, t,
			ask.Expect{Host: "x." + h, Target: "/only", Want: 1, Why: "the exact host has the path"},
			ask.Expect{Host: "x." + h, Target: "/other", Want: 0, Why: "falls through to the wildcard host"},
			ask.Expect{Host: "unknown.example", Target: "/" + t.ID() + "/any-host", Want: 2, Why: "a route without hosts serves all of them"},
			ask.Expect{Host: h, Target: "/" + t.ID() + "/any-host", Want: 2, Why: "no host entry at all"},
			ask.Expect{Host: "unknown.example", Target: "/other", Want: ask.None, Why: "nothing to fall through to"},
		)
	},
}
