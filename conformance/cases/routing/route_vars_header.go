package routing

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that ignores vars, compares field names with case, or does
// not take a - for a _.
var routeVarsHeader = spec.Case{
	ID: "ROUTE-VARS-HEADER", Level: spec.Must, Needs: []spec.Feature{spec.RouteVars, spec.RoutePriority},
	Title: "A route with a condition on a header field serves requests whose field has that value, and no others.",
	Refs:  []string{"APISIX 3.18 route.vars, lua-resty-expr 1.3.2, operator == on http_<name>"},
	After: []string{"ROUTE-PRIORITY"},
	Objects: `
-- routes/{{.ID}}-a --
{"host": "{{.Host}}", "uri": "/x", "vars": [["http_x_canary", "==", "blue"]], "priority": 1, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-b --
{"host": "{{.Host}}", "uri": "/x", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}
`,
	Backends: 2,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		ask.Route(ctx, t,
			ask.Expect{Host: h, Target: "/x", Header: with("X-Canary", "blue"), Want: 0, Why: "the value"},
			ask.Expect{Host: h, Target: "/x", Header: with("x-cANARY", "blue"), Want: 0, Why: "names have no case"},
			ask.Expect{Host: h, Target: "/x", Header: with("X-Canary", "green"), Want: 1, Why: "another value"},
			ask.Expect{Host: h, Target: "/x", Header: with("X-Canary", "Blue"), Want: 1, Why: "values have case"},
			ask.Expect{Host: h, Target: "/x", Header: with("X-Canary", "blue2"), Want: 1, Why: "longer"},
			ask.Expect{Host: h, Target: "/x", Header: with("X-Canary", ""), Want: 1, Why: "empty"},
			ask.Expect{Host: h, Target: "/x", Want: 1, Why: "absent"},
			ask.Expect{Host: h, Target: "/x", Header: with("Canary", "blue"), Want: 1, Why: "another field"},
		)
	},
}
