package tls

import (
	"context"
	"crypto/tls"

	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/pki"
)

// between is a client that speaks only the versions from low to high.
func between(name string, low, high uint16) *tls.Config {
	c := client(name)
	c.MinVersion, c.MaxVersion = low, high
	return c
}

// oneName publishes a name with a certificate, whose key is elliptic or RSA, and a
// route to backend 0.
func oneName(ctx context.Context, t *spec.T, rsa bool) (string, pki.Pair) {
	ca, name := newAuthority(t, "case"), "a."+t.Host()
	issue := ca.issue
	if rsa {
		issue = ca.issueRSA
	}
	p := issue(name)
	put(ctx, t, "a", server(p, name))
	route(ctx, t, "a", name, t.Backend(0))
	t.Wait(ctx)
	return name, p
}

// noHandshake checks that what a client offers is turned down.
func noHandshake(t *spec.T, v visit, why string) {
	t.Check(v.State == nil, "%s: %s: got %s, want no handshake (op %s)", v.gw.Ref, why, v.said(), v.Op.ID)
}
