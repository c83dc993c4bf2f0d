package tls

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"

	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/pki"
)

// An authority issues the certificates of one case, which ends as broken when it cannot.
type authority struct {
	*pki.Authority
	t *spec.T
}

func newAuthority(t *spec.T, name string) *authority {
	a, err := pki.New(name)
	return &authority{made(t, a, err), t}
}

// below is an authority that this one vouches for.
func (a *authority) below(name string) *authority {
	b, err := a.Below(name)
	return &authority{made(a.t, b, err), a.t}
}

// issue makes a certificate with an elliptic key for the names.
func (a *authority) issue(names ...string) pki.Pair {
	p, err := a.Issue(names...)
	return made(a.t, p, err)
}

// issueRSA makes one with an RSA key.
func (a *authority) issueRSA(names ...string) pki.Pair {
	key, err := pki.RSA()
	return a.sign(template(a.t, names...), made(a.t, key, err))
}

// sign makes one as the template says, with an elliptic key when none is given.
func (a *authority) sign(tmpl *x509.Certificate, key crypto.Signer) pki.Pair {
	p, err := a.Sign(tmpl, key)
	return made(a.t, p, err)
}

func template(t *spec.T, names ...string) *x509.Certificate {
	tmpl, err := pki.Template(names...)
	return made(t, tmpl, err)
}

// readPair takes a certificate of somebody else's with its key.
func readPair(t *spec.T, cert, key string) pki.Pair {
	own, err := tls.X509KeyPair([]byte(cert), []byte(key))
	own = made(t, own, err)
	return pki.Pair{Leaf: own.Leaf, Cert: cert, Key: key, TLS: own}
}

// made is what was made; the case ends as broken when it was not.
func made[V any](t *spec.T, v V, err error) V {
	if err != nil {
		t.Brokenf("certificates of the case: %v", err)
	}
	return v
}
