package tls

import (
	"context"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that promises HTTP/2 and speaks something else, or that picks
// by its own taste what the client did not offer.
var tlsALPNH2 = spec.Case{
	ID: "TLS-ALPN-H2", Level: spec.Must, Needs: []spec.Feature{spec.TLSALPN}, Env: []spec.Capability{spec.TLS},
	Title:    "A client that offers h2 gets h2 and is served by HTTP/2, whether it offers http/1.1 as well or not.",
	Refs:     []string{"RFC 9113 3.2", "RFC 7301 3.2"},
	After:    []string{"TLS-SNI-EXACT", "TLS-ALPN-HTTP1"},
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		name, p := oneName(ctx, t, false)
		for _, gw := range t.Env().Gateways() {
			for _, offer := range [][]string{{"h2", "http/1.1"}, {"http/1.1", "h2"}, {"h2"}} {
				c := client(name)
				c.NextProtos = offer
				v := call2(ctx, t, gw, c, name)
				if v.State != nil && !t.Check(v.State.NegotiatedProtocol == "h2", "%s: offered %q: got %q, want h2", gw.Ref, offer, v.State.NegotiatedProtocol) {
					continue
				}
				v.served(t, p, t.Backend(0), "by HTTP/2")
			}
		}
	},
}
