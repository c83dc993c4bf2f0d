package tls

import (
	"context"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that goes on serving a certificate which was taken away,
// perhaps because its key has leaked.
var tlsCertDelete = spec.Case{
	ID: "TLS-CERT-DELETE", Level: spec.Must, Needs: []spec.Feature{spec.TLSHot}, Env: []spec.Capability{spec.TLS},
	Title:    "A deleted certificate is served to no handshake once the delete is in force; others are, and a new one for the name is.",
	Refs:     []string{"APISIX 3.18 config_etcd: a delete is an event", "docs/wire.md 1, applied"},
	After:    []string{"TLS-SNI-EXACT"},
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		ca, a, b := newAuthority(t, "case"), "a."+t.Host(), "b."+t.Host()
		pa, pb, next := ca.issue(a), ca.issue(b), ca.issue(a)
		put(ctx, t, "a", server(pa, a))
		put(ctx, t, "b", server(pb, b))
		route(ctx, t, "a", a, t.Backend(0))
		route(ctx, t, "b", b, t.Backend(0))
		t.Wait(ctx)
		all := func(f func(gw spec.Gateway)) {
			for _, gw := range t.Env().Gateways() {
				for range 4 {
					f(gw)
				}
			}
		}
		all(func(gw spec.Gateway) { call(ctx, t, gw, client(a), a).served(t, pa, t.Backend(0), "before") })
		t.Delete(ctx, "ssls/"+t.Name("a"))
		t.Wait(ctx)
		all(func(gw spec.Gateway) {
			call(ctx, t, gw, client(a), a).stranger(t, "the certificate is deleted", pa, pb)
			call(ctx, t, gw, client(b), b).served(t, pb, t.Backend(0), "another certificate is deleted")
		})
		put(ctx, t, "a", server(next, a))
		t.Wait(ctx)
		all(func(gw spec.Gateway) { call(ctx, t, gw, client(a), a).served(t, next, t.Backend(0), "written anew") })
	},
}
