package routing

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that looks for text anywhere in the query, or takes the
// last of several arguments.
var routeVarsArg = spec.Case{
	ID: "ROUTE-VARS-ARG", Level: spec.Must, Needs: []spec.Feature{spec.RouteVars, spec.RoutePriority},
	Title: "A condition on an argument of the query takes the first of that name.",
	Refs:  []string{"APISIX 3.18 route.vars, lua-resty-expr 1.3.2, arg_<name>"},
	After: []string{"ROUTE-VARS-HEADER"},
	Objects: `
-- routes/{{.ID}}-a --
{"host": "{{.Host}}", "uri": "/x", "vars": [["arg_v", "==", "2"]], "priority": 1, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-b --
{"host": "{{.Host}}", "uri": "/x", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}
`,
	Backends: 2,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		ask.Route(ctx, t,
			ask.Expect{Host: h, Target: "/x?v=2", Want: 0, Why: "alone"},
			ask.Expect{Host: h, Target: "/x?a=1&v=2&b=3", Want: 0, Why: "among others"},
			ask.Expect{Host: h, Target: "/x?v=2&v=3", Want: 0, Why: "the first counts"},
			ask.Expect{Host: h, Target: "/x?v=3&v=2", Want: 1, Why: "the first counts"},
			ask.Expect{Host: h, Target: "/x?v=22", Want: 1, Why: "another value"},
			ask.Expect{Host: h, Target: "/x?nav=2", Want: 1, Why: "another name that ends so"},
			ask.Expect{Host: h, Target: "/x?a=v=2", Want: 1, Why: "the value of another"},
			ask.Expect{Host: h, Target: "/x?v=", Want: 1, Why: "empty"},
			ask.Expect{Host: h, Target: "/x", Want: 1, Why: "absent"},
		)
	},
}
