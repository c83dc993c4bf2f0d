package tls

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"time"

	"github.com/unilb/unilb/conformance/spec"
)

// An authority issues the certificates of one case. Nobody else trusts it.
type authority struct {
	t    *spec.T
	cert *x509.Certificate
	key  crypto.Signer
	pem  string
}

// A pair is a certificate with its key.
type pair struct {
	cert *x509.Certificate
	pem  string // the certificate, then those of intermediate authorities
	key  string // PEM
	own  tls.Certificate
}

func newAuthority(t *spec.T, name string) *authority {
	a := &authority{t: t, key: a256(t)}
	a.cert, a.pem = a.sign(a.template(name, true), a.key.Public())
	return a
}

// below is an authority that this one vouches for.
func (a *authority) below(name string) *authority {
	b := &authority{t: a.t, key: a256(a.t)}
	b.cert, b.pem = a.sign(a.template(name, true), b.key.Public())
	return b
}

// issue makes a certificate with an elliptic key for the names.
func (a *authority) issue(names ...string) pair { return a.issueFor(a256(a.t), "", names...) }

// issueRSA makes one with an RSA key.
func (a *authority) issueRSA(names ...string) pair {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		a.t.Brokenf("make an RSA key: %v", err)
	}
	return a.issueFor(key, "", names...)
}

// issueFor makes a certificate for a key; the authorities in chain are sent with
// it.
func (a *authority) issueFor(key crypto.Signer, chain string, names ...string) pair {
	tmpl := a.template(names[0], false)
	tmpl.DNSNames = names
	return a.issueAs(tmpl, key, chain)
}

// issueAs makes a certificate as the template says.
func (a *authority) issueAs(tmpl *x509.Certificate, key crypto.Signer, chain string) pair {
	p := pair{}
	p.cert, p.pem = a.sign(tmpl, key.Public())
	p.pem += chain
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		a.t.Brokenf("encode a key: %v", err)
	}
	p.key = string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	if p.own, err = tls.X509KeyPair([]byte(p.pem), []byte(p.key)); err != nil {
		a.t.Brokenf("a certificate and its key: %v", err)
	}
	return p
}

// readPair takes a certificate of somebody else's with its key.
func readPair(t *spec.T, cert, key string) pair {
	own, err := tls.X509KeyPair([]byte(cert), []byte(key))
	if err != nil {
		t.Brokenf("a certificate and its key: %v", err)
	}
	return pair{cert: own.Leaf, pem: cert, key: key, own: own}
}

func (a *authority) template(name string, authority bool) *x509.Certificate {
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		a.t.Brokenf("make a serial number: %v", err)
	}
	c := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name}, BasicConstraintsValid: true, IsCA: authority,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	if authority {
		c.KeyUsage, c.ExtKeyUsage = x509.KeyUsageCertSign|x509.KeyUsageCRLSign, nil
	}
	return c
}

// sign signs a certificate; that of the authority itself before it has one.
func (a *authority) sign(tmpl *x509.Certificate, public crypto.PublicKey) (*x509.Certificate, string) {
	parent := a.cert
	if parent == nil {
		parent = tmpl
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, parent, public, a.key)
	if err != nil {
		a.t.Brokenf("sign a certificate for %s: %v", tmpl.Subject.CommonName, err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Brokenf("read a certificate for %s: %v", tmpl.Subject.CommonName, err)
	}
	return c, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func a256(t *spec.T) crypto.Signer {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Brokenf("make a key: %v", err)
	}
	return key
}
