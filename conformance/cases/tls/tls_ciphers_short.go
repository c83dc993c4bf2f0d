package tls

import (
	"context"
	"crypto/tls"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that takes ciphers of 64-bit blocks, whose long connections
// can be read.
var tlsCiphersShort = spec.Case{
	ID: "TLS-CIPHERS-SHORT", Level: spec.Should, Needs: []spec.Feature{spec.TLSVersions}, Env: []spec.Capability{spec.TLS},
	Title:    "A client that offers only triple DES gets no handshake.",
	Refs:     []string{"RFC 9325 4.1: less than 128 bits of security SHOULD NOT be negotiated"},
	After:    []string{"TLS-SNI-EXACT"},
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		noneOf(ctx, t, tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA, tls.TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA)
	},
}
