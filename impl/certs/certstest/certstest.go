// Package certstest makes the certificates of tests: such as are their own
// authority, and such as an Authority has signed. All of them hold from an hour ago
// until an hour from now. It knows nothing of how certificates are served, and tests
// may use it from several goroutines.
package certstest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"strconv"
	"testing"
	"time"
)

// Elliptic is a new key on P-256.
func Elliptic(t testing.TB) crypto.Signer {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// SelfSigned is a certificate for a name with a key on P-256. It is its own
// authority, so that whoever has it as a root trusts it.
func SelfSigned(t testing.TB, name string) tls.Certificate {
	t.Helper()
	return SelfSignedBy(t, name, Elliptic(t))
}

// SelfSignedBy is SelfSigned with a key of any kind.
func SelfSignedBy(t testing.TB, name string, key crypto.Signer) tls.Certificate {
	t.Helper()
	return sign(t, name, key, nil, true)
}

// sign makes a certificate, for an authority or not; nobody signs one that is its own.
// more may change what is signed.
func sign(t testing.TB, name string, key crypto.Signer, by *Authority, ca bool, more ...func(*x509.Certificate)) tls.Certificate {
	t.Helper()
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	tmpl := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, BasicConstraintsValid: true, IsCA: ca,
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour), KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	if !ca {
		tmpl.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	}
	for _, f := range more {
		f(tmpl)
	}
	parent, signer := tmpl, key
	var above [][]byte
	if by != nil {
		parent, signer, above = by.Cert, by.key, by.chain
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: append([][]byte{der}, above...), PrivateKey: key, Leaf: leaf}
}

// PEM are the texts of a certificate, without those above it, and of its key.
func PEM(t testing.TB, c tls.Certificate) (cert, key string) {
	t.Helper()
	raw, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate[0]})), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw}))
}

// JSON is SelfSigned as two JSON strings, for objects that a test writes by hand.
func JSON(t testing.TB, name string) (cert, key string) {
	t.Helper()
	cert, key = PEM(t, SelfSigned(t, name))
	return strconv.Quote(cert), strconv.Quote(key) // no character of PEM needs what JSON lacks
}
