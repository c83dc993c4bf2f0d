package routing

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that compares addresses as text.
var routeVarsIpmatch = spec.Case{
	ID: "ROUTE-VARS-IPMATCH", Level: spec.Must, Needs: []spec.Feature{spec.RouteVars},
	Title: "The operator ipmatch asks whether an address is in one of several networks.",
	Refs:  []string{"APISIX 3.18 route.vars, lua-resty-expr 1.3.2, operator ipmatch"},
	After: []string{"ROUTE-VARS-HEADER"},
	Objects: `
-- routes/{{.ID}}-a --
{"host": "{{.Host}}", "uri": "/one", "vars": [["http_x_ip", "ipmatch", "192.0.2.0/25"]], "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-b --
{"host": "{{.Host}}", "uri": "/list", "vars": [["http_x_ip", "ipmatch", ["198.51.100.7", "2001:db8:1::/48"]]], "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
`,
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		ask.Route(ctx, t,
			ask.Expect{Host: h, Target: "/one", Header: with("X-IP", "192.0.2.127"), Want: 0, Why: "inside"},
			ask.Expect{Host: h, Target: "/one", Header: with("X-IP", "192.0.2.128"), Want: ask.None, Why: "outside"},
			ask.Expect{Host: h, Target: "/list", Header: with("X-IP", "198.51.100.7"), Want: 0, Why: "the address"},
			ask.Expect{Host: h, Target: "/list", Header: with("X-IP", "198.51.100.70"), Want: ask.None, Why: "its neighbour"},
			ask.Expect{Host: h, Target: "/list", Header: with("X-IP", "2001:db8:1:2::3"), Want: 0, Why: "inside"},
			ask.Expect{Host: h, Target: "/list", Header: with("X-IP", "2001:db8:2::3"), Want: ask.None, Why: "outside"},
			ask.Expect{Host: h, Target: "/one", Header: with("X-IP", "192.0.2"), Want: ask.None, Why: "no address"},
		)
	},
}
