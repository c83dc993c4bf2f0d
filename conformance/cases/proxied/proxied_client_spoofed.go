package proxied

import (
	"context"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that believes the field whoever sends it, once it believes it at all.
var proxiedClientSpoofed = spec.Case{
	ID: "PROXIED-CLIENT-SPOOFED", Level: spec.Must, Needs: []spec.Feature{spec.ProxyRealIP}, Env: places,
	Title:    "Who connects from elsewhere than the believed proxies is the client himself, whatever he says in X-Real-IP, and though he names a proxy.",
	Refs:     []string{"APISIX 3.18 nginx_config.http.real_ip_from"},
	After:    []string{"PROXIED-CLIENT"},
	Objects:  oneTarget,
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		himself := map[string]string{"X-Real-IP": peer}
		tell(ctx, t, stranger(t),
			told{nil, himself, "the peer"},
			told{with("X-Real-IP", "192.0.2.66"), himself, "not a proxy"},
			told{with("X-Real-IP", addressOf(ctx, t, proxy(t)).String()), himself, "not a proxy, though he names one"},
			told{with("X-Real-IP", "192.0.2.66", "X-Forwarded-For", addressOf(ctx, t, proxy(t)).String()), himself, "not behind a proxy, though he says so"},
		)
	},
}
