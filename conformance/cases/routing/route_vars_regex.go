package routing

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that anchors patterns, ignores their case, or finds
// something in a field that is not there.
var routeVarsRegex = spec.Case{
	ID: "ROUTE-VARS-REGEX", Level: spec.Must, Needs: []spec.Feature{spec.RouteVars},
	Title: "A pattern is searched anywhere in the value, with case or without as the operator says, and never found in what is absent.",
	Refs:  []string{"APISIX 3.18 route.vars, lua-resty-expr 1.3.2, operators ~~ and ~*"},
	After: []string{"ROUTE-VARS-HEADER"},
	Objects: `
-- routes/{{.ID}}-a --
{"host": "{{.Host}}", "uri": "/case", "vars": [["http_x_t", "~~", "b[0-9]+c"]], "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-b --
{"host": "{{.Host}}", "uri": "/nocase", "vars": [["http_x_t", "~*", "b[0-9]+c"]], "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-c --
{"host": "{{.Host}}", "uri": "/all", "vars": [["http_x_t", "~~", ".*"]], "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-d --
{"host": "{{.Host}}", "uri": "/not", "vars": [["http_x_t", "!", "~~", "^b"]], "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
`,
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		ask.Route(ctx, t,
			ask.Expect{Host: h, Target: "/case", Header: with("X-T", "ab12cd"), Want: 0, Why: "inside"},
			ask.Expect{Host: h, Target: "/case", Header: with("X-T", "aB12Cd"), Want: ask.None, Why: "case"},
			ask.Expect{Host: h, Target: "/case", Header: with("X-T", "bc"), Want: ask.None, Why: "not found"},
			ask.Expect{Host: h, Target: "/nocase", Header: with("X-T", "aB12Cd"), Want: 0, Why: "without case"},
			ask.Expect{Host: h, Target: "/nocase", Header: with("X-T", "bxc"), Want: ask.None, Why: "not found"},
			ask.Expect{Host: h, Target: "/all", Header: with("X-T", "z"), Want: 0, Why: "anything"},
			ask.Expect{Host: h, Target: "/all", Want: ask.None, Why: "absent is not anything"},
			ask.Expect{Host: h, Target: "/not", Header: with("X-T", "ab"), Want: 0, Why: "turned round"},
			ask.Expect{Host: h, Target: "/not", Header: with("X-T", "ba"), Want: ask.None, Why: "turned round"},
			ask.Expect{Host: h, Target: "/not", Want: 0, Why: "absent, turned round"},
		)
	},
}
