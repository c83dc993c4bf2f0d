package tls

import (
	"context"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that serves its first certificate to clients that ask for no
// name, or for an address.
var tlsSNINone = spec.Case{
	ID: "TLS-SNI-NONE", Level: spec.Must, Needs: []spec.Feature{spec.TLSSNI}, Env: []spec.Capability{spec.TLS},
	Title:    "A handshake without a name fails or gets a certificate of the gateway's own, never a tenant's.",
	Refs:     []string{"APISIX 3.18 ssl match: without a name the handshake fails unless fallback_sni is set"},
	After:    []string{"TLS-SNI-EXACT"},
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		strangers(ctx, t, "no name is asked for", "", "192.0.2.7") // an address is not sent as a name
	},
}
