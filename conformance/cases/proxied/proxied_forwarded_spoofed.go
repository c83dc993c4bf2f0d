package proxied

import (
	"context"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that trusts everybody once it trusts somebody, or that hands a chain of
// hops on of which nobody trusted wrote the beginning.
var proxiedForwardedSpoofed = spec.Case{
	ID: "PROXIED-FORWARDED-SPOOFED", Level: spec.Must, Needs: []spec.Feature{spec.ProxyTrusted}, Env: places,
	Title:    "Where proxies are trusted, nothing of what others say reaches the backend: X-Forwarded-Proto, -Host and -Port are what the gateway saw, Forwarded is removed and X-Forwarded-For begins with the peer.",
	Refs:     []string{"APISIX 3.18 apisix.trusted_addresses", "APISIX 3.18 request headers to the upstream"},
	After:    []string{"PROXIED-FORWARDED"},
	Objects:  oneTarget,
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		by := addressOf(ctx, t, proxy(t)).String()
		seen := map[string]string{
			"X-Forwarded-Proto": "http", "X-Forwarded-Host": t.Host(), "X-Forwarded-Port": port, "Forwarded": "", "X-Forwarded-For": peer,
		}
		tell(ctx, t, stranger(t),
			told{nil, seen, "he says nothing"},
			told{
				with("X-Forwarded-Proto", "https", "X-Forwarded-Host", "shop.example", "X-Forwarded-Port", "8443", "Forwarded", "for=192.0.2.66;proto=https", "X-Forwarded-For", "192.0.2.66"),
				seen, "not a proxy",
			},
			told{with("X-Forwarded-Proto", "https", "X-Real-IP", by, "X-Forwarded-For", by), seen, "not a proxy, though he names one"},
			told{with("X-Forwarded-For", "192.0.2.66", "X-Forwarded-For", by), seen, "nor in several lines"},
		)
	},
}
