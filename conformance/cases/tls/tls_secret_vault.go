package tls

import (
	"context"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that takes a reference for the certificate itself, that reads a secret
// once and then serves a certificate until it has ended, or that serves nothing any more
// when it cannot ask again.
var tlsSecretVault = spec.Case{
	ID: "TLS-SECRET-VAULT", Level: spec.Must, Needs: []spec.Feature{spec.TLSSecrets}, Env: []spec.Capability{spec.TLS},
	Title:    "A certificate that Vault keeps is served, of key-value engines of both versions and of a namespace; a rotation there is served without an edit here, and while Vault is sealed everything goes on, edits too.",
	Refs:     []string{"APISIX 3.18 secrets/vault", "HashiCorp Vault HTTP API: KV secrets engine, versions 1 and 2"},
	After:    []string{"TLS-SNI-EXACT"},
	Backends: 1,
	Played:   1,
	Run: func(ctx context.Context, t *spec.T) {
		v, ca := newVault(t), newAuthority(t, "case")
		a, b, c, d := "a."+t.Host(), "b."+t.Host(), "c."+t.Host(), "d."+t.Host()
		pa, pb, pc := ca.issue(a), ca.issue(b), ca.issue(c)
		v.keeps("kv/shop/tls", pa)
		v.keeps("team/secret/data/shop", pb)
		v.managed(ctx, t, "one", "kv", "")
		v.managed(ctx, t, "two", "secret/data", `,"namespace":"team"`)
		put(ctx, t, "a", ofVault(t, "one", "shop/tls", a))
		put(ctx, t, "b", ofVault(t, "two", "shop", b))
		put(ctx, t, "d", ofVault(t, "one", "nowhere", d))
		for name, host := range map[string]string{"a": a, "b": b, "c": c, "d": d} {
			route(ctx, t, name, host, t.Backend(0))
		}
		t.Wait(ctx)
		comes(ctx, t, a, pa, "kept by an engine of version 1")
		comes(ctx, t, b, pb, "kept by an engine of version 2")
		for _, gw := range t.Env().Gateways() {
			call(ctx, t, gw, client(d), d).stranger(t, "nothing is kept there", pa, pb)
		}
		pa, pb = ca.issue(a), ca.issue(b)
		v.keeps("kv/shop/tls", pa)
		v.keeps("team/secret/data/shop", pb)
		comes(ctx, t, a, pa, "rotated in an engine of version 1")
		comes(ctx, t, b, pb, "rotated in an engine of version 2")
		v.seal(true)
		put(ctx, t, "c", server(pc, c))
		t.Wait(ctx)
		for _, gw := range t.Env().Gateways() {
			for range 3 {
				call(ctx, t, gw, client(a), a).served(t, pa, t.Backend(0), "Vault is sealed")
				call(ctx, t, gw, client(c), c).served(t, pc, t.Backend(0), "written while Vault is sealed")
			}
		}
		v.seal(false)
		pa = ca.issue(a)
		v.keeps("kv/shop/tls", pa)
		comes(ctx, t, a, pa, "rotated after Vault was sealed")
	},
}
