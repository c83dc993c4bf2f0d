package tls

import (
	"context"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that serves one certificate whatever name is asked for.
var tlsSNIExact = spec.Case{
	ID: "TLS-SNI-EXACT", Level: spec.Must, Needs: []spec.Feature{spec.TLSSNI}, Env: []spec.Capability{spec.TLS},
	Title:    "A handshake gets the certificate of the name that it asks for, and a request over it follows the routes.",
	Refs:     []string{"APISIX 3.18 ssl.snis", "RFC 6066 3"},
	Backends: 2,
	Run: func(ctx context.Context, t *spec.T) {
		a, ca := "a."+t.Host(), newAuthority(t, "case")
		b := "b." + t.Host()
		pa, pb := ca.issue(a), ca.issue(b)
		put(ctx, t, "a", server(pa, a))
		put(ctx, t, "b", server(pb, b))
		route(ctx, t, "a", a, t.Backend(0))
		route(ctx, t, "b", b, t.Backend(1))
		t.Wait(ctx)
		for _, gw := range t.Env().Gateways() {
			for range 3 {
				call(ctx, t, gw, client(a), a).served(t, pa, t.Backend(0), "the first of two")
				call(ctx, t, gw, client(b), b).served(t, pb, t.Backend(1), "the second of two")
			}
		}
	},
}
