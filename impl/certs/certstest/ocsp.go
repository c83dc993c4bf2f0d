package certstest

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"testing"

	"golang.org/x/crypto/ocsp"
)

// IssueWith is Issue for a certificate of which more is said.
func (a *Authority) IssueWith(name string, key crypto.Signer, more ...func(*x509.Certificate)) tls.Certificate {
	a.t.Helper()
	return sign(a.t, name, key, a, false, more...)
}

// Responder names a responder of OCSP in a certificate.
func Responder(url string) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.OCSPServer = append(c.OCSPServer, url) }
}

// MustStaple makes a certificate demand to be stapled (RFC 7633).
func MustStaple(c *x509.Certificate) {
	c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 24}, Value: []byte{0x30, 3, 2, 1, 5}})
}

// Says is an OCSP answer of the authority, signed by itself, or by somebody whose
// certificate the answer brings along.
func (a *Authority) Says(r ocsp.Response, by ...tls.Certificate) []byte {
	a.t.Helper()
	responder, key := a.Cert, a.key
	for _, c := range by {
		responder, key, r.Certificate = c.Leaf, c.PrivateKey.(crypto.Signer), c.Leaf
	}
	b, err := ocsp.CreateResponse(a.Cert, responder, r, key)
	if err != nil {
		a.t.Fatal(err)
	}
	return b
}

// BundlePEM is PEM with all that vouches for the certificate.
func BundlePEM(t testing.TB, c tls.Certificate) (certs, key string) {
	t.Helper()
	certs, key = PEM(t, c)
	for _, der := range c.Certificate[1:] {
		above, _ := PEM(t, tls.Certificate{Certificate: [][]byte{der}, PrivateKey: c.PrivateKey})
		certs += above
	}
	return certs, key
}
