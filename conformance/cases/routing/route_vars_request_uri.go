package routing

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway whose conditions on the target somebody walks around who spells the path
// in another way.
var routeVarsRequestURI = spec.Case{
	ID: "ROUTE-VARS-REQUEST-URI", Level: spec.Must, Needs: []spec.Feature{spec.RouteVars, spec.RoutePriority, spec.RouteNormalPath},
	Title: "The variable request_uri has the path as routes see it, with the query as it was sent; real_request_uri has all of the target as it was sent.",
	Refs:  []string{"APISIX 3.18 request_uri, real_request_uri"},
	After: []string{"ROUTE-VARS-REQUEST", "ROUTE-SLASHES-MERGED"},
	Objects: `
-- routes/{{.ID}}-a --
{"host": "{{.Host}}", "uri": "/a/*", "vars": [["request_uri", "==", "/a/b?x=%2F"]], "priority": 1, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-b --
{"host": "{{.Host}}", "uri": "/real/*", "vars": [["real_request_uri", "==", "/real//%62?x"]], "priority": 1, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-c --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}
`,
	Backends: 2,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		ask.Route(ctx, t,
			ask.Expect{Host: h, Target: "/a/b?x=%2F", Want: 0, Why: "as it stands there"},
			ask.Expect{Host: h, Target: "/a//b?x=%2F", Want: 0, Why: "slashes are merged"},
			ask.Expect{Host: h, Target: "/a/./%62?x=%2F", Want: 0, Why: "dots are resolved, escapes decoded"},
			ask.Expect{Host: h, Target: "/a/b?x=/", Want: 1, Why: "the query is as it was sent"},
			ask.Expect{Host: h, Target: "/a/b", Want: 1, Why: "the query takes part"},
			ask.Expect{Host: h, Target: "/real//%62?x", Want: 0, Why: "as it was sent"},
			ask.Expect{Host: h, Target: "/real/b?x", Want: 1, Why: "another spelling"},
		)
	},
}
