package tls

import (
	"context"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that serves whichever certificate it finds first, by the
// order of writing or of ids.
var tlsSNIExactOverWildcard = spec.Case{
	ID: "TLS-SNI-EXACT-OVER-WILDCARD", Level: spec.Must, Needs: []spec.Feature{spec.TLSSNI}, Env: []spec.Capability{spec.TLS},
	Title:    "A certificate for a name is preferred to one for the wildcard above it, whichever was written first.",
	Refs:     []string{"APISIX 3.18 ssl match: exact before wildcard"},
	After:    []string{"TLS-SNI-EXACT", "TLS-SNI-WILDCARD"},
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		ca := newAuthority(t, "case")
		early, late, other, wild := "early."+t.Host(), "late."+t.Host(), "other."+t.Host(), "*."+t.Host()
		pEarly, pLate, pWild := ca.issue(early), ca.issue(late), ca.issue(wild)
		put(ctx, t, "z-early", server(pEarly, early))
		put(ctx, t, "m-wild", server(pWild, wild))
		put(ctx, t, "a-late", server(pLate, late))
		route(ctx, t, "wild", wild, t.Backend(0))
		t.Wait(ctx)
		for _, gw := range t.Env().Gateways() {
			call(ctx, t, gw, client(early), early).served(t, pEarly, t.Backend(0), "written before the wildcard")
			call(ctx, t, gw, client(late), late).served(t, pLate, t.Backend(0), "written after the wildcard")
			call(ctx, t, gw, client(other), other).served(t, pWild, t.Backend(0), "only the wildcard fits")
		}
	},
}
