package routing

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that knows regular languages only and leaves such a route
// out, so that its clients silently go elsewhere.
var routeVarsPcre = spec.Case{
	ID: "ROUTE-VARS-PCRE", Level: spec.Must, Needs: []spec.Feature{spec.RouteVarsPCRE, spec.RouteVars, spec.RoutePriority},
	Title: "Patterns may look ahead.",
	Refs:  []string{"APISIX 3.18 route.vars, lua-resty-expr 1.3.2, operators ~~ and ~* are PCRE"},
	After: []string{"ROUTE-VARS-AGENT"},
	Objects: `
-- routes/{{.ID}}-a --
{"host": "{{.Host}}", "uri": "/x", "vars": [["http_user_agent", "~*", "Mobile(?!.*Tablet)"]], "priority": 1, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-b --
{"host": "{{.Host}}", "uri": "/x", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}
`,
	Backends: 2,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		ask.Route(ctx, t,
			ask.Expect{Host: h, Target: "/x", Header: with("User-Agent", "App/1 Mobile Safari"), Want: 0, Why: "found, and not followed"},
			ask.Expect{Host: h, Target: "/x", Header: with("User-Agent", "App/1 Mobile Tablet Safari"), Want: 1, Why: "found, but followed"},
			ask.Expect{Host: h, Target: "/x", Header: with("User-Agent", "tablet mobile"), Want: 0, Why: "case does not count, and what stands before is no matter"},
			ask.Expect{Host: h, Target: "/x", Header: with("User-Agent", "App/1"), Want: 1, Why: "not found"},
		)
	},
}
