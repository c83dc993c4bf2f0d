package routing

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway whose conditions an encoded line feed walks around.
var routeVarsPcreEnd = spec.Case{
	ID: "ROUTE-VARS-PCRE-END", Level: spec.Must, Needs: []spec.Feature{spec.RouteVarsPCRE, spec.RouteVars, spec.RoutePriority, spec.RouteNormalPath},
	Title: "The $ of a pattern is found at the end of a text and before a line feed there, as in PCRE; \\z is found at the end only.",
	Refs:  []string{"APISIX 3.18 route.vars, lua-resty-expr 1.3.2, operators ~~ and ~* are PCRE", "pcrepattern(3), circumflex and dollar"},
	After: []string{"ROUTE-VARS-REGEX", "ROUTE-PATH-DECODED"},
	Objects: `
-- routes/{{.ID}}-a --
{"host": "{{.Host}}", "uri": "/dollar*", "vars": [["uri", "~~", "^/dollar$"]], "priority": 1, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-b --
{"host": "{{.Host}}", "uri": "/end*", "vars": [["uri", "~~", "^/end\\z"]], "priority": 1, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-c --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}
`,
	Backends: 2,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		ask.Route(ctx, t,
			ask.Expect{Host: h, Target: "/dollar", Want: 0, Why: "the end"},
			ask.Expect{Host: h, Target: "/dollar%0A", Want: 0, Why: "a line feed at the end"},
			ask.Expect{Host: h, Target: "/dollar%0A%0A", Want: 1, Why: "two line feeds"},
			ask.Expect{Host: h, Target: "/dollars", Want: 1, Why: "not the end"},
			ask.Expect{Host: h, Target: "/end", Want: 0, Why: "the very end"},
			ask.Expect{Host: h, Target: "/end%0A", Want: 1, Why: "not the very end"},
		)
	},
}
