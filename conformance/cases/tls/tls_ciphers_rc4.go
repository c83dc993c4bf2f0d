package tls

import (
	"context"
	"crypto/tls"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that takes whatever cipher a client offers.
var tlsCiphersRC4 = spec.Case{
	ID: "TLS-CIPHERS-RC4", Level: spec.Must, Needs: []spec.Feature{spec.TLSVersions}, Env: []spec.Capability{spec.TLS},
	Title:    "A client that offers only RC4 gets no handshake.",
	Refs:     []string{"RFC 7465 2", "RFC 9325 4.1"},
	After:    []string{"TLS-SNI-EXACT"},
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		noneOf(ctx, t, tls.TLS_RSA_WITH_RC4_128_SHA, tls.TLS_ECDHE_RSA_WITH_RC4_128_SHA)
	},
}
