package routing

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that knows header fields only.
var routeVarsRequest = spec.Case{
	ID: "ROUTE-VARS-REQUEST", Level: spec.Must, Needs: []spec.Feature{spec.RouteVars},
	Title: "Conditions may ask for method, host, path, query, scheme and the target with its query as it was sent.",
	Refs:  []string{"APISIX 3.18 route.vars, lua-resty-expr 1.3.2, variables of nginx"},
	After: []string{"ROUTE-VARS-REGEX", "ROUTE-VARS-IN"},
	Objects: `
-- routes/{{.ID}}-a --
{"host": "{{.Host}}", "uri": "/method", "vars": [["request_method", "in", ["PUT", "PATCH"]]], "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-b --
{"host": "{{.Host}}", "uri": "/uri*", "vars": [["uri", "~~", "^/uri/v[0-9]+/[a-z]+$"]], "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-c --
{"hosts": ["{{.Host}}", "*.{{.Host}}"], "uri": "/host", "vars": [["host", "~~", "^(blue|green)[.]"]], "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-d --
{"host": "{{.Host}}", "uri": "/args", "vars": [["args", "==", "a=1&b=2"]], "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-e --
{"host": "{{.Host}}", "uri": "/scheme", "vars": [["scheme", "==", "http"]], "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-f --
{"host": "{{.Host}}", "uri": "/raw*", "vars": [["request_uri", "~~", "[?]raw=%2F$"]], "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
`,
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		ask.Route(ctx, t,
			ask.Expect{Method: "PUT", Host: h, Target: "/method", Want: 0, Why: "listed"},
			ask.Expect{Method: "POST", Host: h, Target: "/method", Want: ask.None, Why: "not listed"},
			ask.Expect{Host: h, Target: "/uri/v12/shop", Want: 0, Why: "the path, without its query"},
			ask.Expect{Host: h, Target: "/uri/v12/shop?x", Want: 0, Why: "the query takes no part"},
			ask.Expect{Host: h, Target: "/uri/vx/shop", Want: ask.None, Why: "not found"},
			ask.Expect{Host: "blue." + h, Target: "/host", Want: 0, Why: "found"},
			ask.Expect{Host: "Green." + h + ":81", Target: "/host", Want: 0, Why: "the host as it is matched"},
			ask.Expect{Host: "red." + h, Target: "/host", Want: ask.None, Why: "not found"},
			ask.Expect{Host: h, Target: "/args?a=1&b=2", Want: 0, Why: "the whole query"},
			ask.Expect{Host: h, Target: "/args?b=2&a=1", Want: ask.None, Why: "another order"},
			ask.Expect{Host: h, Target: "/scheme", Want: 0, Why: "plain HTTP"},
			ask.Expect{Host: h, Target: "/raw?raw=%2F", Want: 0, Why: "as it was sent"},
			ask.Expect{Host: h, Target: "/raw?raw=/", Want: ask.None, Why: "as it was sent"},
		)
	},
}
