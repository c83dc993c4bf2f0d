package tls

import (
	"context"
	"crypto/tls"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that asks clients for a certificate and does not look at it,
// or takes one that anybody has signed.
var tlsClientCert = spec.Case{
	ID: "TLS-CLIENT-CERT", Level: spec.Must, Needs: []spec.Feature{spec.TLSClientAuth}, Env: []spec.Capability{spec.TLS},
	Title:    "A name that wants certificates of clients serves those of its authority; without one, or with one of another authority, no request reaches a backend.",
	Refs:     []string{"APISIX 3.18 ssl.client.ca", "RFC 8446 4.4.2.4"},
	After:    []string{"TLS-SNI-EXACT"},
	Backends: 2,
	Run: func(ctx context.Context, t *spec.T) {
		m := twoNames(ctx, t)
		for _, gw := range t.Env().Gateways() {
			for _, version := range bothVersions {
				how := tls.VersionName(version) + ", "
				one := func() *tls.Config { return between(m.closed, version, version) }
				call(ctx, t, gw, with(one(), m.member), m.closed).served(t, m.closedAs, t.Backend(1), how+"a certificate of the authority")
				call(ctx, t, gw, one(), m.closed).refused(t, how+"no certificate")
				call(ctx, t, gw, with(one(), m.foreigner), m.closed).refused(t, how+"a certificate of another authority")
				call(ctx, t, gw, between(m.open, version, version), m.open).served(t, m.openPair, t.Backend(0), how+"a name that wants none")
			}
		}
	},
}
