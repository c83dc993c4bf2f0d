package routing

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that takes a field that is absent for one that is empty,
// or for one that every comparison fails on.
var routeVarsAbsent = spec.Case{
	ID: "ROUTE-VARS-ABSENT", Level: spec.Must, Needs: []spec.Feature{spec.RouteVars},
	Title: "What is absent equals nothing but null and differs from everything else.",
	Refs:  []string{"APISIX 3.18 route.vars, lua-resty-expr 1.3.2, operators == and ~=, absent values"},
	After: []string{"ROUTE-VARS-HEADER"},
	Objects: `
-- routes/{{.ID}}-a --
{"host": "{{.Host}}", "uri": "/null", "vars": [["http_x_a", "==", null]], "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-b --
{"host": "{{.Host}}", "uri": "/empty", "vars": [["http_x_a", "==", ""]], "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-c --
{"host": "{{.Host}}", "uri": "/differs", "vars": [["http_x_a", "~=", "v"]], "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-d --
{"host": "{{.Host}}", "uri": "/not", "vars": [["http_x_a", "!", "==", "v"]], "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-e --
{"host": "{{.Host}}", "uri": "/there", "vars": [["http_x_a", "!", "==", null]], "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
`,
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		ask.Route(ctx, t,
			ask.Expect{Host: h, Target: "/null", Want: 0, Why: "absent"},
			ask.Expect{Host: h, Target: "/null", Header: with("X-A", "v"), Want: ask.None, Why: "there"},
			ask.Expect{Host: h, Target: "/empty", Want: ask.None, Why: "absent is not empty"},
			ask.Expect{Host: h, Target: "/differs", Want: 0, Why: "absent differs"},
			ask.Expect{Host: h, Target: "/differs", Header: with("X-A", "w"), Want: 0, Why: "another value"},
			ask.Expect{Host: h, Target: "/differs", Header: with("X-A", "v"), Want: ask.None, Why: "the value"},
			ask.Expect{Host: h, Target: "/not", Want: 0, Why: "absent"},
			ask.Expect{Host: h, Target: "/not", Header: with("X-A", "w"), Want: 0, Why: "another value"},
			ask.Expect{Host: h, Target: "/not", Header: with("X-A", "v"), Want: ask.None, Why: "the value"},
			ask.Expect{Host: h, Target: "/there", Want: ask.None, Why: "absent"},
			ask.Expect{Host: h, Target: "/there", Header: with("X-A", "v"), Want: 0, Why: "there"},
		)
	},
}
