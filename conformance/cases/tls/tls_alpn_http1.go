package tls

import (
	"context"
	"slices"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that speaks HTTP/2 to clients that did not offer it, or that
// turns clients away which negotiate nothing: many machines do not.
var tlsALPNHTTP1 = spec.Case{
	ID: "TLS-ALPN-HTTP1", Level: spec.Must, Needs: []spec.Feature{spec.TLSSNI}, Env: []spec.Capability{spec.TLS},
	Title:    "A client that offers only http/1.1, or no protocol, is served by HTTP/1.1 and told of no other.",
	Refs:     []string{"RFC 7301 3.1, 3.2", "RFC 9113 3.2"},
	After:    []string{"TLS-SNI-EXACT"},
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		name, p := oneName(ctx, t, false)
		for _, gw := range t.Env().Gateways() {
			for _, offer := range [][]string{nil, {"http/1.1"}, {"http/1.1", "http/1.0"}} {
				c := client(name)
				c.NextProtos = offer
				v := call(ctx, t, gw, c, name)
				if v.served(t, p, t.Backend(0), "by HTTP/1.1") {
					got := v.State.NegotiatedProtocol
					t.Check(got == "" || slices.Contains(offer, got) && got != "http/1.0", "%s: offered %q: got %q, want http/1.1 or none", gw.Ref, offer, got)
				}
			}
		}
	},
}
