package routing

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that lets header fields replace host, path or method:
// whoever filters by those is passed by.
var routeNoOverride = spec.Case{
	ID: "ROUTE-NO-OVERRIDE", Level: spec.Must, Needs: []spec.Feature{spec.RouteURI, spec.RouteHost, spec.RouteMethods},
	Title: "Only method, target and Host of a request decide, never fields that name others.",
	Refs:  []string{"RFC 9110 7.1 and 7.2, the target URI comes of the request target and Host", "APISIX 3.18 route match input"},
	After: []string{"ROUTE-EXACT", "ROUTE-HOST", "ROUTE-METHOD"},
	Objects: `
-- routes/{{.ID}}-a --
{"host": "open.{{.Host}}", "uri": "/open", "methods": ["GET"], "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-b --
{"host": "inner.{{.Host}}", "uri": "/open", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}
-- routes/{{.ID}}-c --
{"host": "open.{{.Host}}", "uri": "/admin", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}
-- routes/{{.ID}}-d --
{"host": "open.{{.Host}}", "uri": "/open", "methods": ["DELETE"], "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}
`,
	Backends: 2,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		ask.Route(ctx, t,
			ask.Expect{Host: "open." + h, Target: "/open", Header: with("X-Original-URL", "/admin"), Want: 0, Why: "X-Original-URL names another path"},
			ask.Expect{Host: "open." + h, Target: "/open", Header: with("X-Rewrite-URL", "/admin"), Want: 0, Why: "X-Rewrite-URL names another path"},
			ask.Expect{Host: "open." + h, Target: "/open", Header: with("X-HTTP-Method-Override", "DELETE"), Want: 0, Why: "X-HTTP-Method-Override names another method"},
			ask.Expect{Host: "open." + h, Target: "/open", Header: with("X-Method-Override", "DELETE"), Want: 0, Why: "X-Method-Override names another method"},
			ask.Expect{Host: "open." + h, Target: "/open", Header: with("X-Forwarded-Host", "inner."+h), Want: 0, Why: "X-Forwarded-Host names another host"},
			ask.Expect{Host: "open." + h, Target: "/open", Header: with("X-Host", "inner."+h), Want: 0, Why: "X-Host names another host"},
			ask.Expect{Host: "open." + h, Target: "/open", Header: with("Forwarded", "host=inner."+h), Want: 0, Why: "Forwarded names another host"},
		)
	},
}
