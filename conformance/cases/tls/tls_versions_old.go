package tls

import (
	"context"
	"crypto/tls"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that still speaks versions which are forbidden.
var tlsVersionsOld = spec.Case{
	ID: "TLS-VERSIONS-OLD", Level: spec.Must, Needs: []spec.Feature{spec.TLSVersions}, Env: []spec.Capability{spec.TLS},
	Title:    "Clients that speak only TLS 1.0 or 1.1 get no handshake.",
	Refs:     []string{"RFC 8996: TLS 1.0 and 1.1 MUST NOT be used", "APISIX 3.18 ssl_protocols: TLSv1.2 TLSv1.3"},
	After:    []string{"TLS-SNI-EXACT"},
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		name, p := oneName(ctx, t, false)
		for _, gw := range t.Env().Gateways() {
			call(ctx, t, gw, between(name, tls.VersionTLS10, tls.VersionTLS13), name).served(t, p, t.Backend(0), "TLS 1.0 to 1.3")
			noHandshake(t, call(ctx, t, gw, between(name, tls.VersionTLS10, tls.VersionTLS10), name), "TLS 1.0 only")
			noHandshake(t, call(ctx, t, gw, between(name, tls.VersionTLS11, tls.VersionTLS11), name), "TLS 1.1 only")
		}
	},
}
