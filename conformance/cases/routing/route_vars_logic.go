package routing

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/history"
)

// Catches a gateway that takes OR for AND, turns only the first part round, or
// loses nested expressions.
var routeVarsLogic = spec.Case{
	ID: "ROUTE-VARS-LOGIC", Level: spec.Must, Needs: []spec.Feature{spec.RouteVars},
	Title: "AND, OR, !AND and !OR combine expressions, also nested ones, and a plain list means AND.",
	Refs:  []string{"APISIX 3.18 route.vars, lua-resty-expr 1.3.2, logical operators"},
	After: []string{"ROUTE-VARS-HEADER"},
	Objects: `
-- routes/{{.ID}}-a --
{"host": "{{.Host}}", "uri": "/list", "vars": [["http_x_a", "==", "1"], ["http_x_b", "==", "1"]], "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-b --
{"host": "{{.Host}}", "uri": "/or", "vars": ["OR", ["http_x_a", "==", "1"], ["http_x_b", "==", "1"]], "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-c --
{"host": "{{.Host}}", "uri": "/and", "vars": ["AND", ["http_x_a", "==", "1"], ["http_x_b", "==", "1"]], "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-d --
{"host": "{{.Host}}", "uri": "/nand", "vars": ["!AND", ["http_x_a", "==", "1"], ["http_x_b", "==", "1"]], "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-e --
{"host": "{{.Host}}", "uri": "/nor", "vars": ["!OR", ["http_x_a", "==", "1"], ["http_x_b", "==", "1"]], "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-f --
{"host": "{{.Host}}", "uri": "/nested", "vars": ["AND", ["http_x_a", "==", "1"], ["OR", ["http_x_b", "==", "1"], ["http_x_c", "==", "1"]]], "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-g --
{"host": "{{.Host}}", "uri": "/small", "vars": ["or", ["http_x_a", "==", "1"], ["http_x_b", "==", "1"]], "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
`,
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		ask.Route(ctx, t,
			ask.Expect{Host: h, Target: "/list", Header: given("a", "b"), Want: 0, Why: "both"},
			ask.Expect{Host: h, Target: "/list", Header: given("a"), Want: ask.None, Why: "one"},
			ask.Expect{Host: h, Target: "/or", Header: given("a"), Want: 0, Why: "the first"},
			ask.Expect{Host: h, Target: "/or", Header: given("b"), Want: 0, Why: "the second"},
			ask.Expect{Host: h, Target: "/or", Header: given(), Want: ask.None, Why: "none"},
			ask.Expect{Host: h, Target: "/and", Header: given("a", "b"), Want: 0, Why: "both"},
			ask.Expect{Host: h, Target: "/and", Header: given("b"), Want: ask.None, Why: "one"},
			ask.Expect{Host: h, Target: "/nand", Header: given("a"), Want: 0, Why: "not both"},
			ask.Expect{Host: h, Target: "/nand", Header: given(), Want: 0, Why: "not both"},
			ask.Expect{Host: h, Target: "/nand", Header: given("a", "b"), Want: ask.None, Why: "both"},
			ask.Expect{Host: h, Target: "/nor", Header: given(), Want: 0, Why: "none"},
			ask.Expect{Host: h, Target: "/nor", Header: given("b"), Want: ask.None, Why: "one"},
			ask.Expect{Host: h, Target: "/nested", Header: given("a", "c"), Want: 0, Why: "the first, and one of the others"},
			ask.Expect{Host: h, Target: "/nested", Header: given("a"), Want: ask.None, Why: "none of the others"},
			ask.Expect{Host: h, Target: "/nested", Header: given("b", "c"), Want: ask.None, Why: "not the first"},
			ask.Expect{Host: h, Target: "/small", Header: given("b"), Want: 0, Why: "words have no case"},
		)
	},
}

// given are the fields X-A, X-B and so on, each with the value 1.
func given(names ...string) []history.Field {
	var out []history.Field
	for _, n := range names {
		out = append(out, history.Field{Name: "X-" + n, Value: "1"})
	}
	return out
}
