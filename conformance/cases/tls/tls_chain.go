package tls

import (
	"context"
	"crypto/tls"
	"crypto/x509"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that serves the first certificate of an object and drops
// those of intermediate authorities: browsers that have seen them elsewhere do not
// notice, everybody else is turned away.
var tlsChain = spec.Case{
	ID: "TLS-CHAIN", Level: spec.Must, Needs: []spec.Feature{spec.TLSSNI}, Env: []spec.Capability{spec.TLS},
	Title:    "A client that trusts only the root accepts a certificate whose intermediate authority stands behind it in the object.",
	Refs:     []string{"RFC 8446 4.4.2", "APISIX 3.18 ssl.cert"},
	After:    []string{"TLS-SNI-EXACT"},
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		root, name := newAuthority(t, "root"), "a."+t.Host()
		between := root.below("intermediate")
		p := between.issue(name).With(between.Authority)
		put(ctx, t, "a", server(p, name))
		route(ctx, t, "a", name, t.Backend(0))
		t.Wait(ctx)
		strict := &tls.Config{ServerName: name, RootCAs: x509.NewCertPool()}
		strict.RootCAs.AddCert(root.Cert)
		for _, gw := range t.Env().Gateways() {
			call(ctx, t, gw, strict, name).served(t, p, t.Backend(0), "a client that verifies")
		}
	},
}
