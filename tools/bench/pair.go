package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// serverName is what TLS clients ask for. wrk connects to the name that it asks for,
// so it is one that every machine knows.
const serverName = "localhost"

// A pair is the certificate of all proxies, ECDSA P-256, and its key, as PEM.
type certPair struct{ cert, key string }

func newPair(now time.Time) (certPair, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return certPair{}, err
	}
	t := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: serverName}, DNSNames: []string{serverName, "*.example"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(7 * 24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	cert, err := x509.CreateCertificate(rand.Reader, t, t, key.Public(), key)
	if err != nil {
		return certPair{}, fmt.Errorf("make a certificate: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return certPair{}, err
	}
	text := func(kind string, b []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b}))
	}
	return certPair{cert: text("CERTIFICATE", cert), key: text("PRIVATE KEY", der)}, nil
}

// write puts the pair where configurations find it; HAProxy wants both in one file.
func (p certPair) write(dir string) error {
	var errs []error
	for name, text := range map[string]string{"cert.pem": p.cert, "key.pem": p.key, "pair.pem": p.cert + p.key} {
		errs = append(errs, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	return errors.Join(errs...)
}

// clientTLS is how our own clients ask: TLS 1.3 with X25519 and without resumption,
// so that every handshake is a full one and the same work for all. The certificate
// is not verified: what is measured is the server.
func clientTLS() *tls.Config {
	return &tls.Config{
		ServerName: serverName, InsecureSkipVerify: true, MinVersion: tls.VersionTLS13,
		CurvePreferences: []tls.CurveID{tls.X25519}, SessionTicketsDisabled: true,
	}
}

func splitPort(at string) (host string, port int, _ error) {
	host, text, err := net.SplitHostPort(at)
	if err != nil {
		return "", 0, err
	}
	port, err = strconv.Atoi(text)
	return host, port, err
}
