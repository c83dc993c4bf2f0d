package apisix

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

// isPEM tells a private key from one that is encrypted, as APISIX does.
func isPEM(s string) bool { return strings.HasPrefix(s, "---") }

// ErrSealed is the error of APISIX for a private key that is no PEM, and that no key opens
// by which it might be sealed.
var ErrSealed = errors.New("failed to decrypt previous encrypted key")

// parsePair reads a certificate, followed by those of intermediate authorities,
// and its private key. A key that is no PEM is one that could not be opened.
func parsePair(cert, key string) (tls.Certificate, error) {
	if _, err := parseCertificates(cert); err != nil {
		return tls.Certificate{}, fmt.Errorf("failed to parse cert: %w", err)
	}
	if !isPEM(key) {
		return tls.Certificate{}, ErrSealed
	}
	pair, err := tls.X509KeyPair([]byte(cert), []byte(key))
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("failed to parse key: %w", err)
	}
	return pair, nil
}

// parseCertificates reads all certificates of a PEM text, of which there must be
// one at least.
func parseCertificates(text string) ([]*x509.Certificate, error) {
	var out []*x509.Certificate
	for rest := []byte(text); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	if len(out) == 0 {
		return nil, errors.New("PEM holds no certificate")
	}
	return out, nil
}
