package tls

import (
	"context"
	"crypto/tls"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that serves one certificate of several for a name, so that
// clients which speak only the other algorithm are turned away.
var tlsPairs = spec.Case{
	ID: "TLS-PAIRS", Level: spec.Must, Needs: []spec.Feature{spec.TLSPairs}, Env: []spec.Capability{spec.TLS},
	Title:    "Of an RSA and an ECDSA certificate for one name each client gets the one that it can use.",
	Refs:     []string{"APISIX 3.18 ssl.certs, ssl.keys", "RFC 8422 2"},
	After:    []string{"TLS-SNI-EXACT"},
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		ca, name := newAuthority(t, "case"), "a."+t.Host()
		old, elliptic := ca.issueRSA(name), ca.issue(name)
		o := server(old, name)
		o["certs"], o["keys"] = []string{elliptic.Cert}, []string{elliptic.Key}
		put(ctx, t, "a", o)
		route(ctx, t, "a", name, t.Backend(0))
		t.Wait(ctx)
		only := func(suite uint16) *tls.Config {
			c := client(name)
			c.MaxVersion, c.CipherSuites = tls.VersionTLS12, []uint16{suite}
			return c
		}
		for _, gw := range t.Env().Gateways() {
			call(ctx, t, gw, only(tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256), name).served(t, old, t.Backend(0), "a client for RSA only")
			call(ctx, t, gw, only(tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256), name).served(t, elliptic, t.Backend(0), "a client for ECDSA only")
		}
	},
}
