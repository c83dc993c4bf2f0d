package routing

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/history"
)

// Catches a gateway that answers OPTIONS itself, or implies it where GET is
// listed.
var routeMethodOptions = spec.Case{
	ID: "ROUTE-METHOD-OPTIONS", Level: spec.Must, Needs: []spec.Feature{spec.RouteMethods},
	Title: "OPTIONS is routed as every other method is.",
	Refs:  []string{"APISIX 3.18 route.methods", "RFC 9110 9.3.7"},
	After: []string{"ROUTE-METHOD"},
	Objects: `
-- routes/{{.ID}}-a --
{"host": "{{.Host}}", "uri": "/get", "methods": ["GET"], "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-b --
{"host": "{{.Host}}", "uri": "/any", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}
-- routes/{{.ID}}-c --
{"host": "{{.Host}}", "uri": "/get*", "methods": ["OPTIONS"], "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 2}}": 1}}}
`,
	Backends: 3,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		ask.Route(ctx, t,
			ask.Expect{Method: "OPTIONS", Host: h, Target: "/any", Want: 1, Why: "a route without methods"},
			ask.Expect{Method: "OPTIONS", Host: h, Target: "/get", Want: 2, Why: "GET implies nothing, the prefix lists it"},
			ask.Expect{Host: h, Target: "/get", Want: 0, Why: "listed"},
			ask.Expect{Method: "OPTIONS", Host: h, Target: "/any", Header: preflight, Want: 1, Why: "a preflight is a request like others"},
		)
	},
}

// preflight is what a browser adds before it sends a request to another origin.
var preflight = []history.Field{
	{Name: "Origin", Value: "https://other.example"},
	{Name: "Access-Control-Request-Method", Value: "DELETE"},
}
