package tls

import (
	"context"
	"crypto/tls"

	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/pki"
)

// mutual is a place with an open name and one that wants certificates of clients.
type mutual struct {
	open, closed       string
	openPair, closedAs pki.Pair
	member, foreigner  pki.Pair // of clients: one that the closed name wants, one that it does not
}

// twoNames publishes them: the open name is backend 0, the closed one backend 1.
func twoNames(ctx context.Context, t *spec.T) mutual {
	ca, club, others := newAuthority(t, "case"), newAuthority(t, "club"), newAuthority(t, "club") // the name proves nothing
	m := mutual{open: "open." + t.Host(), closed: "closed." + t.Host()}
	m.openPair, m.closedAs = ca.issue(m.open), ca.issue(m.closed)
	m.member, m.foreigner = club.issue("member"), others.issue("member")
	o := server(m.closedAs, m.closed)
	o["client"] = object{"ca": club.PEM, "depth": 1}
	put(ctx, t, "open", server(m.openPair, m.open))
	put(ctx, t, "closed", o)
	route(ctx, t, "open", m.open, t.Backend(0))
	route(ctx, t, "closed", m.closed, t.Backend(1))
	t.Wait(ctx)
	return m
}

// with is a client that shows a certificate, whoever the server says it trusts.
func with(c *tls.Config, p pki.Pair) *tls.Config {
	c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &p.TLS, nil }
	return c
}

// bothVersions are the versions of TLS in which certificates of clients are shown
// at different moments.
var bothVersions = []uint16{tls.VersionTLS12, tls.VersionTLS13}

// A ticket is the session that a client had last, with whatever name, for it to
// resume with whatever name.
type ticket struct{ last *tls.ClientSessionState }

// Get is the last session.
func (k *ticket) Get(string) (*tls.ClientSessionState, bool) { return k.last, k.last != nil }

// Put keeps a session.
func (k *ticket) Put(_ string, s *tls.ClientSessionState) { k.last = s }
