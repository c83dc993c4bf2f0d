package admin

import (
	"context"
	"crypto/tls"
	"net/http"

	"github.com/unilb/unilb/conformance/cases/selfsigned"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API that asks for certificates and takes none or any, or that takes
// one for a key.
var adminTLSClient = spec.Case{
	ID: "ADMIN-TLS-CLIENT", Level: spec.Must, Needs: []spec.Feature{spec.AdminTLS}, Env: []spec.Capability{spec.Region},
	Title: "Where the Admin API asks clients for certificates, nobody is answered who shows none or one of another authority, and who shows the right one needs a key all the same.",
	Refs:  []string{"APISIX 3.18 Admin API, admin_api_mtls", "docs/admin.md: TLS", "RFC 8446 4.4.2.4"},
	After: []string{"ADMIN-TLS"},
	Run: func(ctx context.Context, t *spec.T) {
		cert, key := selfsigned.Certificate(t)
		stranger, err := tls.X509KeyPair([]byte(cert), []byte(key))
		if err != nil {
			t.Brokenf("a certificate and its key: %v", err)
		}
		path := "/routes/" + t.Name("a")
		t.Track(path[1:])
		write := put(path, route(t, ""))
		for _, at := range withTLS(t) {
			for version, name := range map[uint16]string{tls.VersionTLS12: ", TLS 1.2", tls.VersionTLS13: ", TLS 1.3"} {
				silent(ctx, t, with(at, func(c *tls.Config) {
					c.MinVersion, c.MaxVersion, c.Certificates = version, version, nil
				}), write, "nobody with a certificate"+name)
				silent(ctx, t, with(at, func(c *tls.Config) {
					c.MinVersion, c.MaxVersion = version, version
					// Shown whatever authorities the API names.
					c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &stranger, nil }
				}), write, "a stranger"+name)
			}
			answers(ctx, t, at, get(path), http.StatusNotFound)
			none := write
			none.NoKey = true
			answers(ctx, t, at, none, http.StatusUnauthorized)
			answers(ctx, t, at, write, http.StatusCreated)
			answers(ctx, t, at, del(path), http.StatusOK)
		}
	},
}
