package routing

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that refuses conditions which APISIX takes, and so goes on with
// an old version of the route, or without it.
var routeVarsOdd = spec.Case{
	ID: "ROUTE-VARS-ODD", Level: spec.Must, Needs: []spec.Feature{spec.RouteVars, spec.RoutePriority},
	Title: "Operators know no case, and conditions that no text can meet hold for nobody, and negated for everybody.",
	Refs:  []string{"APISIX 3.18 route.vars, lua-resty-expr 1.3.2"},
	After: []string{"ROUTE-VARS-IN", "ROUTE-VARS-LOGIC"},
	Objects: `
-- routes/{{.ID}}-a --
{"host": "{{.Host}}", "uri": "/case", "vars": ["and", ["arg_v", "IN", ["1", "2"]], ["remote_addr", "IpMatch", ["0.0.0.0/0", "::/0"]]], "priority": 1, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-b --
{"host": "{{.Host}}", "uri": "/in", "vars": [["arg_v", "in", "12"]], "priority": 1, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-c --
{"host": "{{.Host}}", "uri": "/has", "vars": [["arg_v", "has", "1"]], "priority": 1, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-d --
{"host": "{{.Host}}", "uri": "/not", "vars": [["arg_v", "!", "has", "1"], ["arg_v", "!", "in", [1]]], "priority": 1, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-e --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}
`,
	Backends: 2,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		ask.Route(ctx, t,
			ask.Expect{Host: h, Target: "/case?v=2", Want: 0, Why: "words in other letters"},
			ask.Expect{Host: h, Target: "/case?v=3", Want: 1, Why: "words in other letters, another value"},
			ask.Expect{Host: h, Target: "/in?v=1", Want: 1, Why: "nothing is in what is no list"},
			ask.Expect{Host: h, Target: "/in?v=12", Want: 1, Why: "nothing is in what is no list"},
			ask.Expect{Host: h, Target: "/has?v=1", Want: 1, Why: "a text is no list"},
			ask.Expect{Host: h, Target: "/not?v=1", Want: 0, Why: "what holds for nobody, negated"},
		)
	},
}
