// Package pki owns the authorities and certificates that the testbed makes: those of a
// lab's servers, of cases and of benchmarks. It looks at no certificate of anybody else.
// What it returns is not changed any more, so that goroutines may share it.
package pki

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
	"fmt"
	"math/big"
	"net"
	"slices"
	"time"
)

// Life is how long certificates are valid on either side of now: labs live for days at
// most, and the clocks of a machine may be set.
const Life = 30 * 24 * time.Hour

// An Authority signs certificates. Nobody trusts it who was not told to.
type Authority struct {
	Cert *x509.Certificate
	PEM  string // of Cert
	Key  crypto.Signer
}

// A Pair is a certificate with its key.
type Pair struct {
	Leaf *x509.Certificate
	Cert string // PEM: the certificate, then those of authorities that are sent along
	Key  string // PEM, PKCS #8
	TLS  tls.Certificate
}

// New is an authority for which nobody vouches.
func New(name string) (*Authority, error) { return newAuthority(name, nil) }

// Below is an authority that this one vouches for.
func (a *Authority) Below(name string) (*Authority, error) { return newAuthority(name, a) }

// Issue makes a certificate with a key on P-256, of servers and of clients, for names,
// of which some may be IP addresses.
func (a *Authority) Issue(names ...string) (Pair, error) {
	tmpl, err := Template(names...)
	if err != nil {
		return Pair{}, err
	}
	return a.Sign(tmpl, nil)
}

// Sign makes a certificate as the template says, most likely a changed one of Template.
// Without a key it makes one on P-256.
func (a *Authority) Sign(tmpl *x509.Certificate, key crypto.Signer) (Pair, error) {
	return sign(tmpl, key, a)
}

// SelfSigned is a certificate like those of Issue that is its own authority: who has it
// as a root trusts it.
func SelfSigned(names ...string) (Pair, error) {
	tmpl, err := Template(names...)
	if err != nil {
		return Pair{}, err
	}
	tmpl.IsCA, tmpl.KeyUsage = true, tmpl.KeyUsage|x509.KeyUsageCertSign
	return sign(tmpl, nil, nil)
}

// With is the pair with the certificate of an authority sent along behind it.
func (p Pair) With(a *Authority) Pair {
	p.Cert += a.PEM
	p.TLS.Certificate = append(slices.Clip(p.TLS.Certificate), a.Cert.Raw)
	return p
}

// Template is what Issue has signed.
func Template(names ...string) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		return nil, fmt.Errorf("make a serial number: %w", err)
	}
	now := time.Now()
	c := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: names[0]}, NotBefore: now.Add(-Life), NotAfter: now.Add(Life), BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			c.IPAddresses = append(c.IPAddresses, ip)
		} else {
			c.DNSNames = append(c.DNSNames, name)
		}
	}
	return c, nil
}

// RSA is a new key of 2048 bits.
func RSA() (crypto.Signer, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, fmt.Errorf("make an RSA key: %w", err)
	}
	return key, nil
}

func newAuthority(name string, by *Authority) (*Authority, error) {
	tmpl, err := Template(name)
	if err != nil {
		return nil, err
	}
	tmpl.IsCA, tmpl.DNSNames, tmpl.IPAddresses = true, nil, nil
	tmpl.KeyUsage, tmpl.ExtKeyUsage = x509.KeyUsageCertSign|x509.KeyUsageCRLSign, nil
	p, err := sign(tmpl, nil, by)
	if err != nil {
		return nil, err
	}
	return &Authority{Cert: p.Leaf, PEM: p.Cert, Key: p.TLS.PrivateKey.(crypto.Signer)}, nil
}

// sign signs a certificate; nobody signs that of who vouches for himself.
func sign(tmpl *x509.Certificate, key crypto.Signer, by *Authority) (Pair, error) {
	if key == nil {
		var err error
		if key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
			return Pair{}, fmt.Errorf("make a key for %s: %w", tmpl.Subject.CommonName, err)
		}
	}
	parent, signer := tmpl, key
	if by != nil {
		parent, signer = by.Cert, by.Key
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, parent, key.Public(), signer)
	if err != nil {
		return Pair{}, fmt.Errorf("sign a certificate for %s: %w", tmpl.Subject.CommonName, err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return Pair{}, fmt.Errorf("read the certificate for %s: %w", tmpl.Subject.CommonName, err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return Pair{}, fmt.Errorf("encode the key of %s: %w", tmpl.Subject.CommonName, err)
	}
	text := func(kind string, b []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b}))
	}
	return Pair{
		Leaf: leaf, Cert: text("CERTIFICATE", der), Key: text("PRIVATE KEY", secret),
		TLS: tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf},
	}, nil
}
