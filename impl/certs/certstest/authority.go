package certstest

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"testing"
)

// An Authority signs certificates.
type Authority struct {
	Cert *x509.Certificate

	t     testing.TB
	key   crypto.Signer
	chain [][]byte // what vouches for those that it signs, without the root
}

// NewAuthority is a root.
func NewAuthority(t testing.TB) *Authority {
	t.Helper()
	key := Elliptic(t)
	return &Authority{Cert: sign(t, "root", key, nil, true).Leaf, t: t, key: key}
}

// Below is an authority for which this one vouches.
func (a *Authority) Below() *Authority {
	a.t.Helper()
	key := Elliptic(a.t)
	c := sign(a.t, "between", key, a, true)
	return &Authority{Cert: c.Leaf, t: a.t, key: key, chain: c.Certificate}
}

// Issue is a certificate for a name, of servers and of clients, with all that
// vouches for it below the root.
func (a *Authority) Issue(name string, key crypto.Signer) tls.Certificate {
	a.t.Helper()
	return sign(a.t, name, key, a, false)
}
