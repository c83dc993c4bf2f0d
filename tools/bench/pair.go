package main

import (
	"crypto/tls"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strconv"

	"github.com/unilb/unilb/sim/pki"
)

// serverName is what TLS clients ask for. wrk connects to the name that it asks for,
// so it is one that every machine knows.
const serverName = "localhost"

// A certPair is the certificate of all proxies, ECDSA P-256, and its key.
type certPair struct{ pki.Pair }

func newPair() (certPair, error) {
	p, err := pki.SelfSigned(serverName, "*.example")
	return certPair{p}, err
}

// write puts the pair where configurations find it; HAProxy wants both in one file.
func (p certPair) write(dir string) error {
	var errs []error
	for name, text := range map[string]string{"cert.pem": p.Cert, "key.pem": p.Key, "pair.pem": p.Cert + p.Key} {
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
