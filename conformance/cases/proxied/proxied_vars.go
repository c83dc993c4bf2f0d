package proxied

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway whose routes and backends hear different stories: a route for https
// only that no client behind a trusted proxy reaches, or that anybody does.
var proxiedVars = spec.Case{
	ID: "PROXIED-VARS", Level: spec.Must, Needs: []spec.Feature{spec.ProxyTrusted}, Env: places,
	Title: "Conditions on X-Forwarded-Proto, -Host and -For see what backends are told: the words of a trusted proxy, and nothing of what others claim.",
	Refs:  []string{"APISIX 3.18 apisix.trusted_addresses", "APISIX 3.18 request headers to the upstream"},
	After: []string{"PROXIED-FORWARDED"},
	Objects: `
-- routes/{{.ID}}-a --
{"host": "{{.Host}}", "uri": "/proto", "vars": [["http_x_forwarded_proto", "==", "https"]], "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-b --
{"host": "{{.Host}}", "uri": "/host", "vars": [["http_x_forwarded_host", "==", "shop.example"]], "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-c --
{"host": "{{.Host}}", "uri": "/for", "vars": [["http_x_forwarded_for", "==", "192.0.2.66"]], "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-d --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}
`,
	Backends: 2,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		proto, host, hop := with("X-Forwarded-Proto", "https"), with("X-Forwarded-Host", "shop.example"), with("X-Forwarded-For", "192.0.2.66")
		ask.RouteFrom(ctx, t, proxy(t),
			ask.Expect{Host: h, Target: "/proto", Header: proto, Want: 0, Why: "the proxy says https"},
			ask.Expect{Host: h, Target: "/proto", Want: 1, Why: "it says nothing"},
			ask.Expect{Host: h, Target: "/host", Header: host, Want: 0, Why: "the proxy says which host"},
			ask.Expect{Host: h, Target: "/for", Header: hop, Want: 0, Why: "the proxy says for whom"},
		)
		ask.RouteFrom(ctx, t, stranger(t),
			ask.Expect{Host: h, Target: "/proto", Header: proto, Want: 1, Why: "not a proxy"},
			ask.Expect{Host: h, Target: "/host", Header: host, Want: 1, Why: "not a proxy"},
			ask.Expect{Host: h, Target: "/for", Header: hop, Want: 1, Why: "not a proxy"},
		)
	},
}
