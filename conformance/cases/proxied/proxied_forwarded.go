package proxied

import (
	"context"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway behind a proxy that ends TLS which tells backends that clients came
// without it: they answer with redirections to https for ever.
var proxiedForwarded = spec.Case{
	ID: "PROXIED-FORWARDED", Level: spec.Must, Needs: []spec.Feature{spec.ProxyTrusted}, Env: places,
	Title:    "X-Forwarded-Proto, -Host and -Port and Forwarded of a trusted proxy reach the backend as they came, what it does not say is what the gateway saw, and X-Forwarded-For goes on by one address.",
	Refs:     []string{"APISIX 3.18 apisix.trusted_addresses", "APISIX 3.18 request headers to the upstream"},
	Objects:  oneTarget,
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		tell(ctx, t, proxy(t),
			told{nil, map[string]string{"X-Forwarded-Proto": "http", "X-Forwarded-Host": t.Host(), "X-Forwarded-Port": port, "Forwarded": "", "X-Forwarded-For": peer}, "it says nothing"},
			told{
				with("X-Forwarded-Proto", "https", "X-Forwarded-Host", "shop.example", "X-Forwarded-Port", "8443", "Forwarded", "for=192.0.2.66;proto=https", "X-Forwarded-For", "192.0.2.66"),
				map[string]string{"X-Forwarded-Proto": "https", "X-Forwarded-Host": "shop.example", "X-Forwarded-Port": "8443", "Forwarded": "for=192.0.2.66;proto=https", "X-Forwarded-For": "192.0.2.66, " + peer, "Host": t.Host()},
				"it says all",
			},
			told{
				with("X-Forwarded-Proto", "https"),
				map[string]string{"X-Forwarded-Proto": "https", "X-Forwarded-Host": t.Host(), "X-Forwarded-Port": port, "Forwarded": ""},
				"it says one",
			},
			told{
				with("X-Forwarded-For", "192.0.2.66, 192.0.2.67"), map[string]string{"X-Forwarded-For": "192.0.2.66, 192.0.2.67, " + peer, "X-Forwarded-Proto": "http"}, "several hops, and nothing else",
			},
		)
	},
}
