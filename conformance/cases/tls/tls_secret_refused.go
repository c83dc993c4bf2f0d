package tls

import (
	"context"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that follows what an operator wrote last instead of what it serves: a
// mistyped path, and the certificate in force is renewed no more until it has ended.
var tlsSecretRefused = spec.Case{
	ID: "TLS-SECRET-REFUSED", Level: spec.Must, Needs: []spec.Feature{spec.TLSSecrets}, Env: []spec.Capability{spec.TLS},
	Title:    "While a new version of an object waits for a secret that is not there, the version before is served and follows the rotation of its own secret; once the other is there it is served.",
	Refs:     []string{"APISIX 3.18 secrets/vault", "docs/secrets.md: when it cannot be had"},
	After:    []string{"TLS-SECRET-VAULT"},
	Backends: 1,
	Played:   1,
	Run: func(ctx context.Context, t *spec.T) {
		v, ca, a := newVault(t), newAuthority(t, "case"), "a."+t.Host()
		p := ca.issue(a)
		v.keeps("kv/shop", p)
		v.managed(ctx, t, "one", "kv", "")
		put(ctx, t, "a", ofVault(t, "one", "shop", a))
		route(ctx, t, "a", a, t.Backend(0))
		t.Wait(ctx)
		comes(ctx, t, a, p, "the first version")
		put(ctx, t, "a", ofVault(t, "one", "shpo", a))
		t.Wait(ctx)
		for _, gw := range t.Env().Gateways() {
			call(ctx, t, gw, client(a), a).served(t, p, t.Backend(0), "the next version has no secret")
		}
		for range 2 {
			p = ca.issue(a)
			v.keeps("kv/shop", p)
			comes(ctx, t, a, p, "rotated while the next version has no secret")
		}
		p = ca.issue(a)
		v.keeps("kv/shpo", p)
		comes(ctx, t, a, p, "the next version has its secret")
	},
}
