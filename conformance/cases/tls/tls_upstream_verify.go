package tls

import (
	"context"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that takes any certificate although it was told to verify: who
// stands between it and the target reads and changes everything.
var tlsUpstreamVerify = spec.Case{
	ID: "TLS-UPSTREAM-VERIFY", Level: spec.Must, Needs: []spec.Feature{spec.TLSUpstream},
	Title:    "With tls.verify no request reaches a target whose certificate nobody vouches for; without, it does.",
	Refs:     []string{"APISIX 3.18 upstream.tls.verify"},
	After:    []string{"TLS-UPSTREAM"},
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		secured(t)
		careless, careful := "careless."+t.Host(), "careful."+t.Host()
		// Both ask for the name in the certificate, and have one target: what one of
		// them is allowed must not open the door for the other.
		secureRoute(ctx, t, "careless", careless, object{"pass_host": "rewrite", "upstream_host": "inner.example"})
		secureRoute(ctx, t, "careful", careful, object{"pass_host": "rewrite", "upstream_host": "inner.example", "tls": object{"verify": true}})
		t.Wait(ctx)
		for _, gw := range t.Env().Gateways() {
			arrives(ctx, t, gw, careless, "without verify")
			stays(ctx, t, gw, careful, "with verify")
			arrives(ctx, t, gw, careless, "without verify, again")
			stays(ctx, t, gw, careful, "with verify, while a connection without stands")
		}
	},
}
