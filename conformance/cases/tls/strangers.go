package tls

import (
	"context"

	"github.com/unilb/unilb/conformance/spec"
)

// strangers checks, beside two tenants that are served, that handshakes for other
// names get the certificate of neither.
func strangers(ctx context.Context, t *spec.T, why string, names ...string) {
	ca, a, b := newAuthority(t, "case"), "a."+t.Host(), "b."+t.Host()
	pa, pb := ca.issue(a), ca.issue(b)
	put(ctx, t, "a", server(pa, a))
	put(ctx, t, "b", server(pb, b))
	route(ctx, t, "a", a, t.Backend(0))
	route(ctx, t, "b", b, t.Backend(0))
	t.Wait(ctx)
	for _, gw := range t.Env().Gateways() {
		call(ctx, t, gw, client(a), a).served(t, pa, t.Backend(0), "a tenant")
		for _, name := range names {
			call(ctx, t, gw, client(name), a).stranger(t, why, pa, pb)
		}
		call(ctx, t, gw, client(b), b).served(t, pb, t.Backend(0), "another tenant")
	}
}
