package tls

import (
	"context"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that checks certificates of clients by the name of the
// handshake and routes by the Host: whoever asks for an open name first walks
// around the check.
var tlsClientCertByHost = spec.Case{
	ID: "TLS-CLIENT-CERT-BY-HOST", Level: spec.Must, Needs: []spec.Feature{spec.TLSClientAuth}, Env: []spec.Capability{spec.TLS},
	Title:    "A request for a Host that wants certificates of clients, over a handshake for an open name, reaches no backend.",
	Refs:     []string{"APISIX 3.18 ssl.client: Host and name of the handshake must agree", "RFC 9110 7.4"},
	After:    []string{"TLS-CLIENT-CERT"},
	Backends: 2,
	Run: func(ctx context.Context, t *spec.T) {
		m := twoNames(ctx, t)
		for _, gw := range t.Env().Gateways() {
			call(ctx, t, gw, client(m.open), m.open).served(t, m.openPair, t.Backend(0), "the open name")
			call(ctx, t, gw, client(m.open), m.closed).refused(t, "the closed name as Host")
			call(ctx, t, gw, with(client(m.open), m.foreigner), m.closed).refused(t, "the closed name as Host, and a certificate of another authority")
		}
	},
}
