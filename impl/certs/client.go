package certs

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// A ClientAuth says what clients must show.
type ClientAuth struct {
	authorities *x509.CertPool
	depth       int
	skip        []func(path string) bool
}

// skips tells whether nothing need be shown for a path.
func (a *ClientAuth) skips(path string) bool {
	return slices.ContainsFunc(a.skip, func(found func(string) bool) bool { return found(path) })
}

// shallow fails unless one of the chains is no longer than the depth allows.
func (a *ClientAuth) shallow(chains [][]*x509.Certificate) error {
	const ends = 2 // the client's certificate and the authority do not count
	if slices.ContainsFunc(chains, func(c []*x509.Certificate) bool { return len(c) <= a.depth+ends }) {
		return nil
	}
	return fmt.Errorf("certificate of the client: more than %d intermediate authorities", a.depth)
}

// verify checks what a client has shown.
func (a *ClientAuth) verify(peers []*x509.Certificate, now time.Time) error {
	if len(peers) == 0 {
		return errors.New("the client has shown no certificate")
	}
	o := x509.VerifyOptions{
		Roots: a.authorities, Intermediates: x509.NewCertPool(), CurrentTime: now,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	for _, c := range peers[1:] {
		o.Intermediates.AddCert(c)
	}
	chains, err := peers[0].Verify(o)
	if err != nil {
		return err
	}
	return a.shallow(chains)
}

// demand makes a handshake ask for what clients must show, and fail without it
// unless some paths need nothing.
func (a *ClientAuth) demand(c *tls.Config) {
	c.ClientCAs = a.authorities
	if len(a.skip) > 0 {
		c.ClientAuth = tls.RequestClientCert // Admits looks at it
		return
	}
	c.ClientAuth = tls.RequireAndVerifyClientCert
	c.VerifyConnection = func(s tls.ConnectionState) error { return a.shallow(s.VerifiedChains) }
}

// A Conn is what a client said in the handshake of its connection. It is safe for
// concurrent use.
type Conn struct {
	name    string // lower case; the fallback when the client asked for none
	peers   []*x509.Certificate
	version uint16 // of TLS; 0: nobody says
	suite   uint16
	resumed bool // a session from before

	mu    sync.Mutex
	auth  *ClientAuth // that wrong is about; nil: nothing was demanded yet
	wrong error       // why what the client has shown is not that
	shown *Shown      // nil: nobody has asked
}

// Conn is the connection whose handshake has ended so.
func (s *Server) Conn(state tls.ConnectionState) *Conn {
	return &Conn{
		name: s.named(state.ServerName), peers: state.PeerCertificates, version: state.Version, suite: state.CipherSuite, resumed: state.DidResume,
	}
}

// Name is the name that the client asked for, in lower case.
func (c *Conn) Name() string { return c.name }

// shows tells whether the client has shown what it must. It verifies once for each
// change of what that is.
func (c *Conn) shows(a *ClientAuth, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.auth != a {
		c.auth, c.wrong = a, a.verify(c.peers, now)
	}
	return c.wrong == nil
}

// Admits tells whether a request for a host and a path (both as variables show them, after
// the settings of paths) may pass on a connection; c is nil for one without TLS. As in APISIX,
// what the name of the handshake demands must have been shown; and a host that
// demands something is only reached under its own name: else a client would walk
// around the demand by asking for another name first. What is demanded is what the
// table says now, not what it said at the time of the handshake.
func (t *Table) Admits(c *Conn, host, path string, now time.Time) bool {
	if c == nil || t.mutual == 0 {
		return true
	}
	// What was shown is judged where nothing need be, too: conditions may ask for it.
	if own := t.Lookup(c.name); own != nil && own.Client != nil && !c.shows(own.Client, now) && !own.Client.skips(path) {
		return false
	}
	if strings.EqualFold(host, c.name) {
		return true
	}
	other := t.Lookup(host)
	return other == nil || other.Client == nil
}
