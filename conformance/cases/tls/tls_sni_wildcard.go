package tls

import (
	"context"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that knows no wildcards, or for which one covers more labels
// than a client accepts, or the domain itself.
var tlsSNIWildcard = spec.Case{
	ID: "TLS-SNI-WILDCARD", Level: spec.Must, Needs: []spec.Feature{spec.TLSSNI}, Env: []spec.Capability{spec.TLS},
	Title:    "A certificate for *.example is served for every name one label below it, and for no other.",
	Refs:     []string{"APISIX 3.18 ssl match: a wildcard stands for one label", "RFC 9525 6.3"},
	After:    []string{"TLS-SNI-EXACT"},
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		wild := "*." + t.Host()
		p := newAuthority(t, "case").issue(wild)
		put(ctx, t, "wild", server(p, wild))
		route(ctx, t, "wild", wild, t.Backend(0))
		t.Wait(ctx)
		for _, gw := range t.Env().Gateways() {
			for _, label := range []string{"a", "b", "a-b"} {
				name := label + "." + t.Host()
				call(ctx, t, gw, client(name), name).served(t, p, t.Backend(0), "one label")
			}
			call(ctx, t, gw, client("a.b."+t.Host()), "a."+t.Host()).stranger(t, "two labels", p)
			call(ctx, t, gw, client(t.Host()), "a."+t.Host()).stranger(t, "the domain itself", p)
		}
	},
}
