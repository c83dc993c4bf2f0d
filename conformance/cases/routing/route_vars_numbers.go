package routing

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that compares numbers as text, or finds an order between a
// number and a word.
var routeVarsNumbers = spec.Case{
	ID: "ROUTE-VARS-NUMBERS", Level: spec.Must, Needs: []spec.Feature{spec.RouteVars},
	Title: "Numbers are compared as numbers, and what is no number is in no order.",
	Refs:  []string{"APISIX 3.18 route.vars, lua-resty-expr 1.3.2, operators == ~= > >= < <= with a number on the right"},
	After: []string{"ROUTE-VARS-HEADER"},
	Objects: `
-- routes/{{.ID}}-a --
{"host": "{{.Host}}", "uri": "/gt", "vars": [["http_x_n", ">", 9]], "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-b --
{"host": "{{.Host}}", "uri": "/ge", "vars": [["http_x_n", ">=", 9]], "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-c --
{"host": "{{.Host}}", "uri": "/lt", "vars": [["http_x_n", "<", 9]], "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-d --
{"host": "{{.Host}}", "uri": "/le", "vars": [["http_x_n", "<=", 9]], "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-e --
{"host": "{{.Host}}", "uri": "/eq", "vars": [["http_x_n", "==", 9]], "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-f --
{"host": "{{.Host}}", "uri": "/ne", "vars": [["http_x_n", "~=", 9]], "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-g --
{"host": "{{.Host}}", "uri": "/between", "vars": [["http_x_n", ">", 9], ["http_x_n", "<", 100]], "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
`,
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		ask.Route(ctx, t,
			ask.Expect{Host: h, Target: "/gt", Header: with("X-N", "10"), Want: 0, Why: "10 is more than 9"},
			ask.Expect{Host: h, Target: "/gt", Header: with("X-N", "9"), Want: ask.None, Why: "9 is not"},
			ask.Expect{Host: h, Target: "/ge", Header: with("X-N", "9"), Want: 0, Why: "9 is not less"},
			ask.Expect{Host: h, Target: "/ge", Header: with("X-N", "8.5"), Want: ask.None, Why: "8.5 is"},
			ask.Expect{Host: h, Target: "/lt", Header: with("X-N", "10"), Want: ask.None, Why: "10 is not less"},
			ask.Expect{Host: h, Target: "/lt", Header: with("X-N", "-3"), Want: 0, Why: "-3 is"},
			ask.Expect{Host: h, Target: "/le", Header: with("X-N", "9"), Want: 0, Why: "9 is not more"},
			ask.Expect{Host: h, Target: "/le", Header: with("X-N", "80"), Want: ask.None, Why: "80 is"},
			ask.Expect{Host: h, Target: "/eq", Header: with("X-N", "009"), Want: 0, Why: "009 is 9"},
			ask.Expect{Host: h, Target: "/eq", Header: with("X-N", "nine"), Want: ask.None, Why: "a word is not"},
			ask.Expect{Host: h, Target: "/ne", Header: with("X-N", "nine"), Want: 0, Why: "a word differs"},
			ask.Expect{Host: h, Target: "/ne", Header: with("X-N", "9"), Want: ask.None, Why: "9 does not"},
			ask.Expect{Host: h, Target: "/lt", Header: with("X-N", "abc"), Want: ask.None, Why: "a word is not less"},
			ask.Expect{Host: h, Target: "/gt", Header: with("X-N", "abc"), Want: ask.None, Why: "nor more"},
			ask.Expect{Host: h, Target: "/lt", Want: ask.None, Why: "absent is not less"},
			ask.Expect{Host: h, Target: "/between", Header: with("X-N", "50"), Want: 0, Why: "both hold"},
			ask.Expect{Host: h, Target: "/between", Header: with("X-N", "500"), Want: ask.None, Why: "one fails"},
		)
	},
}
