package proxied

import (
	"context"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that tells backends of the proxy before it, or of the client of the
// request before: proxies send requests of many clients over one connection. And one
// that takes the first address of several, which anybody can have written.
var proxiedClient = spec.Case{
	ID: "PROXIED-CLIENT", Level: spec.Must, Needs: []spec.Feature{spec.ProxyRealIP}, Env: places,
	Title:    "Who a believed proxy says in X-Real-IP its client is, is told to backends, for each request anew; of several addresses the last counts, and without one the proxy is the client.",
	Refs:     []string{"APISIX 3.18 nginx_config.http.real_ip_from, real_ip_header", "nginx ngx_http_realip_module"},
	Objects:  oneTarget,
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		client := func(sent, want, why string) told {
			return told{with("X-Real-IP", sent), map[string]string{"X-Real-IP": want, "X-Forwarded-For": want}, why}
		}
		tell(ctx, t, proxy(t),
			told{nil, map[string]string{"X-Real-IP": peer, "X-Forwarded-For": peer}, "the proxy says nothing"},
			client("192.0.2.66", "192.0.2.66", "its client"),
			client("192.0.2.67", "192.0.2.67", "another on the same connection"),
			told{nil, map[string]string{"X-Real-IP": peer, "X-Forwarded-For": peer}, "again it says nothing"},
			client("2001:db8::66", "2001:db8::66", "the other family"),
			client("192.0.2.68:4711", "192.0.2.68", "with its port"),
			client("[2001:db8::67]:4711", "2001:db8::67", "the other family with its port"),
			client("192.0.2.1, 192.0.2.69", "192.0.2.69", "the last, which the proxy has added"),
			client("192.0.2.1, unknown", peer, "what comes last is no address"),
			client("client.example", peer, "no address"),
			client("192.0.2.256", peer, "no address, though it looks like one"),
		)
	},
}
