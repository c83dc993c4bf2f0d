package routing

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that tells backends what it saw, and lets clients choose their route by
// what they claim.
var routeVarsForwarded = spec.Case{
	ID: "ROUTE-VARS-FORWARDED", Level: spec.Must, Needs: []spec.Feature{spec.RouteVars, spec.RoutePriority, spec.ProxyHeaders},
	Title: "Conditions on X-Forwarded-Proto and X-Forwarded-Host see what the gateway saw, as backends do; what the client claims is in original_x_forwarded_proto.",
	Refs:  []string{"APISIX 3.18 trusted_addresses, original_x_forwarded_*"},
	After: []string{"ROUTE-VARS-HEADER", "HDR-XFF"},
	Objects: `
-- routes/{{.ID}}-a --
{"host": "{{.Host}}", "uri": "/proto", "vars": [["http_x_forwarded_proto", "==", "https"]], "priority": 1, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-b --
{"host": "{{.Host}}", "uri": "/host", "vars": [["http_x_forwarded_host", "==", "{{.Host}}"]], "priority": 1, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-c --
{"host": "{{.Host}}", "uri": "/original", "vars": [["original_x_forwarded_proto", "==", "https"]], "priority": 1, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-d --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}
`,
	Backends: 2,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		ask.Route(ctx, t,
			ask.Expect{Host: h, Target: "/proto", Header: with("X-Forwarded-Proto", "https"), Want: 1, Why: "plain HTTP, whatever the client claims"},
			ask.Expect{Host: h, Target: "/proto", Want: 1, Why: "plain HTTP"},
			ask.Expect{Host: h, Target: "/host", Want: 0, Why: "the host that was asked for"},
			ask.Expect{Host: h, Target: "/host", Header: with("X-Forwarded-Host", "other.example"), Want: 0, Why: "the host that was asked for, whatever the client claims"},
			ask.Expect{Host: h, Target: "/original", Header: with("X-Forwarded-Proto", "https"), Want: 0, Why: "what the client claims"},
			ask.Expect{Host: h, Target: "/original", Want: 1, Why: "it claims nothing"},
		)
	},
}
