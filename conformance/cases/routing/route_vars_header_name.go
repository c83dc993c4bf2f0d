package routing

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/history"
)

// Catches a gateway that knows variables by one spelling of their names only, and one that
// joins the lines of a cookie so that nobody can read them.
var routeVarsHeaderName = spec.Case{
	ID: "ROUTE-VARS-HEADER-NAME", Level: spec.Must, Needs: []spec.Feature{spec.RouteVars, spec.RoutePriority},
	Title: "A condition may spell the name of a field as the field is spelled, http_X-Canary; lines of one name are joined by a comma, those of Cookie by a semicolon.",
	Refs:  []string{"APISIX 3.18 route.vars, http_<name> in lower case with _ for -", "RFC 6265 5.4"},
	After: []string{"ROUTE-VARS-HEADER"},
	Objects: `
-- routes/{{.ID}}-a --
{"host": "{{.Host}}", "uri": "/dash", "vars": [["http_X-Canary", "==", "blue"]], "priority": 1, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-b --
{"host": "{{.Host}}", "uri": "/lower", "vars": [["http_x-canary", "==", "blue"]], "priority": 1, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-c --
{"host": "{{.Host}}", "uri": "/lines", "vars": [["http_x_canary", "==", "blue, green"]], "priority": 1, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-d --
{"host": "{{.Host}}", "uri": "/cookie", "vars": [["http_cookie", "==", "a=1; b=2"]], "priority": 1, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-e --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}
`,
	Backends: 2,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		lines := func(name string, values ...string) (list []history.Field) {
			for _, v := range values {
				list = append(list, history.Field{Name: name, Value: v})
			}
			return list
		}
		ask.Route(ctx, t,
			ask.Expect{Host: h, Target: "/dash", Header: with("X-Canary", "blue"), Want: 0, Why: "the name as it is sent"},
			ask.Expect{Host: h, Target: "/dash", Header: with("x-canary", "blue"), Want: 0, Why: "names have no case"},
			ask.Expect{Host: h, Target: "/dash", Header: with("X-Canary", "green"), Want: 1, Why: "another value"},
			ask.Expect{Host: h, Target: "/lower", Header: with("X-CANARY", "blue"), Want: 0, Why: "a - in the name of the variable"},
			ask.Expect{Host: h, Target: "/lower", Want: 1, Why: "absent"},
			ask.Expect{Host: h, Target: "/lines", Header: lines("X-Canary", "blue", "green"), Want: 0, Why: "two lines are a list"},
			ask.Expect{Host: h, Target: "/lines", Header: with("X-Canary", "blue"), Want: 1, Why: "the first line alone"},
			ask.Expect{Host: h, Target: "/cookie", Header: with("Cookie", "a=1; b=2"), Want: 0, Why: "one line"},
			ask.Expect{Host: h, Target: "/cookie", Header: lines("Cookie", "a=1", "b=2"), Want: 0, Why: "two lines of cookies are one list of cookies"},
			ask.Expect{Host: h, Target: "/cookie", Header: with("Cookie", "a=1"), Want: 1, Why: "one cookie of two"},
		)
	},
}
