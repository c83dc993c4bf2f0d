package routing

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that compares whole values where a pattern is asked for,
// or lets the order of writing decide between patterns.
var routeVarsAgent = spec.Case{
	ID: "ROUTE-VARS-AGENT", Level: spec.Must, Needs: []spec.Feature{spec.RouteVars, spec.RoutePriority},
	Title: "Clients are told apart by patterns on User-Agent, the highest priority first.",
	Refs:  []string{"APISIX 3.18 route.vars, lua-resty-expr 1.3.2, operators ~~ and ~*"},
	After: []string{"ROUTE-VARS-HEADER"},
	Objects: `
-- routes/{{.ID}}-a --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-b --
{"host": "{{.Host}}", "uri": "/*", "vars": [["http_user_agent", "~*", "android|iphone|mobile"]], "priority": 1, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}
-- routes/{{.ID}}-c --
{"host": "{{.Host}}", "uri": "/*", "vars": [["http_user_agent", "~~", "^ShopApp/[0-9]+\\.[0-9]+"]], "priority": 2, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 2}}": 1}}}
-- routes/{{.ID}}-d --
{"host": "{{.Host}}", "uri": "/*", "vars": [["http_user_agent", "~*", "bot|spider|curl"]], "priority": 3, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 3}}": 1}}}
`,
	Backends: 4,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		ask.Route(ctx, t,
			ask.Expect{Host: h, Target: "/", Header: with("User-Agent", "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/128.0"), Want: 0, Why: "a desktop"},
			ask.Expect{Host: h, Target: "/", Header: with("User-Agent", "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Mobile/15E148"), Want: 1, Why: "a telephone"},
			ask.Expect{Host: h, Target: "/", Header: with("User-Agent", "Mozilla/5.0 (Linux; Android 14) Chrome/126.0"), Want: 1, Why: "a telephone"},
			ask.Expect{Host: h, Target: "/", Header: with("User-Agent", "ShopApp/7.12 (iPhone; iOS 17.5)"), Want: 2, Why: "an app on a telephone: the higher priority"},
			ask.Expect{Host: h, Target: "/", Header: with("User-Agent", "Mobile ShopApp/7.12"), Want: 1, Why: "not at the beginning"},
			ask.Expect{Host: h, Target: "/", Header: with("User-Agent", "Mozilla/5.0 (Linux; Android 6.0.1) (compatible; Googlebot/2.1)"), Want: 3, Why: "a robot that says telephone"},
			ask.Expect{Host: h, Target: "/", Want: 0, Why: "no User-Agent"},
		)
	},
}
