package exchange

import (
	"crypto/tls"
	"crypto/x509"
)

// TLSConfig is how the connections of a pool with TLS speak it. roots are the
// authorities that targets are verified by; nil: the system's.
func (p Pool) TLSConfig(roots *x509.CertPool) *tls.Config {
	c := &tls.Config{ServerName: p.ServerName, InsecureSkipVerify: !p.Verify, RootCAs: roots}
	if p.ClientCert != nil {
		// Also when it is of no authority that the target lists, as nginx does: the
		// target then says itself what it misses.
		c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return p.ClientCert, nil }
	}
	return c
}
