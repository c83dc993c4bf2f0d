package tls

import (
	"context"
	"crypto/tls"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that checks certificates of clients in full handshakes only:
// a session that began with an open name is resumed with the closed one.
var tlsResumeClientCert = spec.Case{
	ID: "TLS-RESUME-CLIENT-CERT", Level: spec.Must, Needs: []spec.Feature{spec.TLSClientAuth}, Env: []spec.Capability{spec.TLS},
	Title:    "A session that was begun with an open name opens no name that wants certificates of clients.",
	Refs:     []string{"RFC 8446 4.6.1", "RFC 6066 3", "CVE-2025-23419"},
	After:    []string{"TLS-CLIENT-CERT"},
	Backends: 2,
	Run: func(ctx context.Context, t *spec.T) {
		m := twoNames(ctx, t)
		for _, gw := range t.Env().Gateways() {
			for _, version := range bothVersions {
				k := &ticket{}
				resuming := func(name string) *tls.Config {
					c := between(name, version, version)
					c.ClientSessionCache = k
					return c
				}
				call(ctx, t, gw, resuming(m.open), m.open).served(t, m.openPair, t.Backend(0), "the open name")
				t.Logf("%s: %s: a session to resume: %t", gw.Ref, tls.VersionName(version), k.last != nil)
				call(ctx, t, gw, resuming(m.closed), m.closed).refused(t, tls.VersionName(version)+", a session of the open name")
			}
		}
	},
}
