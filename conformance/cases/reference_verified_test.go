package cases

import (
	"crypto/x509"
	"net/http"
)

func (g *reference) verify(conf object, shown *x509.Certificate) error {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(conf["ca"].(string)))
	_, err := shown.Verify(x509.VerifyOptions{Roots: roots, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	return err
}

// verified is the key of what is said of the certificate of the client.
type verified struct{}

func (g *reference) verified(o object, r *http.Request) string {
	conf, asked := o["client"].(object)
	switch {
	case !asked, len(r.TLS.PeerCertificates) == 0:
		return "NONE"
	case g.is("calls every certificate good"):
	default:
		if err := g.verify(conf, r.TLS.PeerCertificates[0]); err != nil {
			return "FAILED:" + err.Error()
		}
	}
	return "SUCCESS"
}
