package certs

import (
	"crypto/tls"
	"crypto/x509"
	"sync/atomic"
	"time"
)

// A Pair is a chain of certificates with its key, and what is stapled to it: an
// answer of its authority's that it is not revoked, for clients that ask (RFC 6066,
// 8). It is safe for concurrent use.
type Pair struct {
	plain  tls.Certificate
	staple atomic.Pointer[stapled]
}

// stapled is a pair as handshakes need it, made once for all of them.
type stapled struct {
	pair  tls.Certificate
	until time.Time
}

// Leaf is the certificate itself; nil when it was not parsed.
func (p *Pair) Leaf() *x509.Certificate { return p.plain.Leaf }

// Chain is the certificate and those above it, in DER. It must not be changed.
func (p *Pair) Chain() [][]byte { return p.plain.Certificate }

// Staple puts an answer to all handshakes that begin from now on, until it expires;
// nil: none. Sessions are resumed as before: clients that do see no certificate.
func (p *Pair) Staple(answer []byte, until time.Time) {
	if len(answer) == 0 {
		p.staple.Store(nil)
		return
	}
	s := &stapled{pair: p.plain, until: until}
	s.pair.OCSPStaple = answer
	p.staple.Store(s)
}

// at is the pair for a handshake at the time that a clock shows. The clock is asked
// here because whoever puts staples may be late, as after a suspension of the whole
// machine. It does not allocate.
func (p *Pair) at(now func() time.Time) *tls.Certificate {
	if s := p.staple.Load(); s != nil && now != nil && now().Before(s.until) {
		return &s.pair
	}
	return &p.plain
}
