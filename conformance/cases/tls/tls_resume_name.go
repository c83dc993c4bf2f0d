package tls

import (
	"context"
	"crypto/tls"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that resumes a session which was begun with one name for
// another: the client believes that it has seen the other's certificate.
var tlsResumeName = spec.Case{
	ID: "TLS-RESUME-NAME", Level: spec.Must, Needs: []spec.Feature{spec.TLSSNI}, Env: []spec.Capability{spec.TLS},
	Title:    "A TLS 1.2 session that was begun with one name is not resumed with another: that one gets a full handshake with its certificate.",
	Refs:     []string{"RFC 6066 3: a server MUST NOT accept to resume a session with another name"},
	After:    []string{"TLS-SNI-EXACT"},
	Backends: 2,
	Run: func(ctx context.Context, t *spec.T) {
		ca, a, b := newAuthority(t, "case"), "a."+t.Host(), "b."+t.Host()
		pa, pb := ca.issue(a), ca.issue(b)
		put(ctx, t, "a", server(pa, a))
		put(ctx, t, "b", server(pb, b))
		route(ctx, t, "a", a, t.Backend(0))
		route(ctx, t, "b", b, t.Backend(1))
		t.Wait(ctx)
		for _, gw := range t.Env().Gateways() {
			k := &ticket{}
			resuming := func(name string) *tls.Config {
				c := between(name, tls.VersionTLS12, tls.VersionTLS12)
				c.ClientSessionCache = k
				return c
			}
			call(ctx, t, gw, resuming(a), a).served(t, pa, t.Backend(0), "a first handshake")
			again := call(ctx, t, gw, resuming(a), a)
			t.Logf("%s: resumes sessions: %t", gw.Ref, again.State != nil && again.State.DidResume)
			other := call(ctx, t, gw, resuming(b), b)
			t.Check(other.State == nil || !other.State.DidResume, "%s: a session of %q was resumed for %q (op %s)", gw.Ref, a, b, other.Op.ID)
			other.served(t, pb, t.Backend(1), "with the session of another name")
		}
	},
}
