package tls

import (
	"context"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that serves some tenant's certificate to a client who asks
// for a name that nobody has: it tells who else is a customer, and a client that
// does not look closely talks to the wrong one.
var tlsSNIUnknown = spec.Case{
	ID: "TLS-SNI-UNKNOWN", Level: spec.Must, Needs: []spec.Feature{spec.TLSSNI}, Env: []spec.Capability{spec.TLS},
	Title:    "A handshake for a name without a certificate fails or gets one of the gateway's own, never a tenant's.",
	Refs:     []string{"APISIX 3.18 ssl match: without a certificate the handshake fails", "RFC 6066 3: unrecognized_name"},
	After:    []string{"TLS-SNI-EXACT"},
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		strangers(ctx, t, "nobody has the name", "c."+t.Host(), "a."+t.Host()+".c", "xa."+t.Host())
	},
}
