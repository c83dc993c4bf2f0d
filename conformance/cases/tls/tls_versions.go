package tls

import (
	"context"
	"crypto/tls"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that leaves out one of the versions in use.
var tlsVersions = spec.Case{
	ID: "TLS-VERSIONS", Level: spec.Must, Needs: []spec.Feature{spec.TLSVersions}, Env: []spec.Capability{spec.TLS},
	Title:    "Clients that speak only TLS 1.2 and clients that speak only TLS 1.3 are served, and one that speaks both gets 1.3.",
	Refs:     []string{"APISIX 3.18 ssl_protocols: TLSv1.2 TLSv1.3", "RFC 9325 3.1.1"},
	After:    []string{"TLS-SNI-EXACT"},
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		name, p := oneName(ctx, t, false)
		for _, gw := range t.Env().Gateways() {
			call(ctx, t, gw, between(name, tls.VersionTLS12, tls.VersionTLS12), name).served(t, p, t.Backend(0), "TLS 1.2 only")
			call(ctx, t, gw, between(name, tls.VersionTLS13, tls.VersionTLS13), name).served(t, p, t.Backend(0), "TLS 1.3 only")
			v := call(ctx, t, gw, client(name), name)
			if v.served(t, p, t.Backend(0), "TLS 1.2 and 1.3") {
				t.Check(v.State.Version == tls.VersionTLS13, "%s: with a client that speaks both: got %s, want TLS 1.3", gw.Ref, tls.VersionName(v.State.Version))
			}
		}
	},
}
