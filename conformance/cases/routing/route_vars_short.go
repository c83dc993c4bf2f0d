package routing

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that does not know the short form.
var routeVarsShort = spec.Case{
	ID: "ROUTE-VARS-SHORT", Level: spec.May, Needs: []spec.Feature{spec.RouteVars},
	Title: "A condition of two parts means equality with the value in small letters.",
	Refs:  []string{"APISIX 3.18 route.vars, lua-resty-expr 1.3.2, [var, value]"},
	After: []string{"ROUTE-VARS-HEADER"},
	Objects: `
-- routes/{{.ID}}-a --
{"host": "{{.Host}}", "uri": "/x", "vars": [["http_x_c", "Blue"]], "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
`,
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		ask.Route(ctx, t,
			ask.Expect{Host: h, Target: "/x", Header: with("X-C", "blue"), Want: 0, Why: "small letters"},
			ask.Expect{Host: h, Target: "/x", Header: with("X-C", "Blue"), Want: ask.None, Why: "as written"},
			ask.Expect{Host: h, Target: "/x", Want: ask.None, Why: "absent"},
		)
	},
}
