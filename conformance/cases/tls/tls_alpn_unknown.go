package tls

import (
	"context"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that goes on by HTTP with a client which offered only other
// protocols: what one side takes for HTTP is something else for the other.
var tlsALPNUnknown = spec.Case{
	ID: "TLS-ALPN-UNKNOWN", Level: spec.Should, Needs: []spec.Feature{spec.TLSALPN}, Env: []spec.Capability{spec.TLS},
	Title:    "A client that offers only protocols which the gateway does not speak gets no handshake.",
	Refs:     []string{"RFC 7301 3.2: no_application_protocol"},
	After:    []string{"TLS-ALPN-H2"},
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		name, _ := oneName(ctx, t, false)
		c := client(name)
		c.NextProtos = []string{"ftp", "smtp/3"}
		for _, gw := range t.Env().Gateways() {
			noHandshake(t, call(ctx, t, gw, c, name), "only ftp and smtp/3 offered")
		}
	},
}
