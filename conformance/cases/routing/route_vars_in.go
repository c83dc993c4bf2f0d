package routing

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that looks for a part of an element, or takes the first
// element only.
var routeVarsIn = spec.Case{
	ID: "ROUTE-VARS-IN", Level: spec.Must, Needs: []spec.Feature{spec.RouteVars},
	Title: "The operator in asks for one whole element of a list.",
	Refs:  []string{"APISIX 3.18 route.vars, lua-resty-expr 1.3.2, operator in"},
	After: []string{"ROUTE-VARS-HEADER"},
	Objects: `
-- routes/{{.ID}}-a --
{"host": "{{.Host}}", "uri": "/in", "vars": [["http_x_tenant", "in", ["red", "green", "blue"]]], "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-b --
{"host": "{{.Host}}", "uri": "/not", "vars": [["http_x_tenant", "!", "in", ["red", "green"]]], "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
`,
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		ask.Route(ctx, t,
			ask.Expect{Host: h, Target: "/in", Header: with("X-Tenant", "red"), Want: 0, Why: "first"},
			ask.Expect{Host: h, Target: "/in", Header: with("X-Tenant", "blue"), Want: 0, Why: "last"},
			ask.Expect{Host: h, Target: "/in", Header: with("X-Tenant", "re"), Want: ask.None, Why: "part of one"},
			ask.Expect{Host: h, Target: "/in", Header: with("X-Tenant", "redgreen"), Want: ask.None, Why: "more than one"},
			ask.Expect{Host: h, Target: "/in", Header: with("X-Tenant", "Red"), Want: ask.None, Why: "case"},
			ask.Expect{Host: h, Target: "/in", Want: ask.None, Why: "absent"},
			ask.Expect{Host: h, Target: "/not", Header: with("X-Tenant", "green"), Want: ask.None, Why: "turned round"},
			ask.Expect{Host: h, Target: "/not", Header: with("X-Tenant", "blue"), Want: 0, Why: "turned round"},
			ask.Expect{Host: h, Target: "/not", Want: 0, Why: "absent, turned round"},
		)
	},
}
