package routing

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that chooses once for a connection: sessions of many users
// share the connections of a proxy in front.
var routeVarsEachRequest = spec.Case{
	ID: "ROUTE-VARS-EACH-REQUEST", Level: spec.Must, Needs: []spec.Feature{spec.RouteVars, spec.RoutePriority},
	Title: "Each request of a connection is routed by its own fields.",
	Refs:  []string{"RFC 9110 3.3, HTTP is stateless", "APISIX 3.18 route.vars, lua-resty-expr 1.3.2"},
	After: []string{"ROUTE-VARS-COOKIE"},
	Objects: `
-- routes/{{.ID}}-a --
{"host": "{{.Host}}", "uri": "/x", "vars": [["cookie_group", "==", "b"]], "priority": 1, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}
-- routes/{{.ID}}-b --
{"host": "{{.Host}}", "uri": "/x", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
`,
	Backends: 2,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		ask.Route(ctx, t,
			ask.Expect{Host: h, Target: "/x", Want: 0, Why: "this request says so"},
			ask.Expect{Host: h, Target: "/x", Header: with("Cookie", "group=b"), Want: 1, Why: "this request says so"},
			ask.Expect{Host: h, Target: "/x", Header: with("Cookie", "group=a"), Want: 0, Why: "this request says so"},
			ask.Expect{Host: h, Target: "/x", Want: 0, Why: "this request says so"},
			ask.Expect{Host: h, Target: "/x", Header: with("Cookie", "group=b"), Want: 1, Why: "this request says so"},
			ask.Expect{Host: h, Target: "/x", Header: with("Cookie", "group=b"), Want: 1, Why: "this request says so"},
			ask.Expect{Host: h, Target: "/x", Header: with("Cookie", "group=c"), Want: 0, Why: "this request says so"},
			ask.Expect{Host: h, Target: "/x", Header: with("Cookie", "group=b"), Want: 1, Why: "this request says so"},
		)
	},
}
