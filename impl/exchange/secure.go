package exchange

import (
	"crypto/tls"
	"crypto/x509"
)

// sessionsKept bounds the TLS sessions with one target that may be resumed.
const sessionsKept = 4

// TLSConfig is how the connections of a pool with TLS speak it, and resume the sessions
// of earlier ones: use one for the whole pool. roots are the
// authorities that targets are verified by; nil: the system's.
func (p Pool) TLSConfig(roots *x509.CertPool) *tls.Config {
	c := &tls.Config{
		ServerName: p.ServerName, InsecureSkipVerify: !p.Verify, RootCAs: roots,
		ClientSessionCache: tls.NewLRUClientSessionCache(sessionsKept), DynamicRecordSizingDisabled: true,
	}
	if p.HTTP2 {
		c.NextProtos = []string{"h2"}
	}
	if p.ClientCert != nil {
		// Also when it is of no authority that the target lists, as nginx does: the
		// target then says itself what it misses.
		c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return p.ClientCert, nil }
	}
	return c
}
