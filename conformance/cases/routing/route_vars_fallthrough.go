package routing

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that stops at the best path or host although its vars do
// not hold.
var routeVarsFallthrough = spec.Case{
	ID: "ROUTE-VARS-FALLTHROUGH", Level: spec.Must, Needs: []spec.Feature{spec.RouteVars, spec.RouteHost},
	Title: "When the vars of a route do not hold shorter prefixes and less specific hosts are tried.",
	Refs:  []string{"APISIX 3.18 router radixtree_host_uri, the search goes on", "APISIX 3.18 route.vars, lua-resty-expr 1.3.2"},
	After: []string{"ROUTE-VARS-HEADER", "ROUTE-HOST-FALLTHROUGH", "ROUTE-EXACT-OVER-PREFIX"},
	Objects: `
-- routes/{{.ID}}-a --
{"host": "x.{{.Host}}", "uri": "/p/q", "vars": [["http_x_k", "==", "exact"]], "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-b --
{"host": "x.{{.Host}}", "uri": "/p/*", "vars": [["http_x_k", "==", "prefix"]], "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}
-- routes/{{.ID}}-c --
{"host": "*.{{.Host}}", "uri": "/p/q", "vars": [["http_x_k", "==", "wild"]], "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 2}}": 1}}}
-- routes/{{.ID}}-d --
{"host": "*.{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 3}}": 1}}}
`,
	Backends: 4,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		ask.Route(ctx, t,
			ask.Expect{Host: "x." + h, Target: "/p/q", Header: with("X-K", "exact"), Want: 0, Why: "the exact path"},
			ask.Expect{Host: "x." + h, Target: "/p/q", Header: with("X-K", "prefix"), Want: 1, Why: "its vars fail: the prefix"},
			ask.Expect{Host: "x." + h, Target: "/p/q", Header: with("X-K", "wild"), Want: 2, Why: "all of the host fail: the wildcard host"},
			ask.Expect{Host: "x." + h, Target: "/p/q", Header: with("X-K", "none"), Want: 3, Why: "the last"},
		)
	},
}
