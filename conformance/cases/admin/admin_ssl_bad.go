package admin

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/cases/selfsigned"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API that stores a certificate that no gateway can use.
var adminSSLBad = spec.Case{
	ID: "ADMIN-SSL-BAD", Level: spec.Must, Needs: []spec.Feature{spec.AdminSSL},
	Title: "A certificate or key that cannot be parsed, a missing one, and lists of different length are refused with 400, and nothing is stored.",
	Refs:  []string{"APISIX 3.18 Admin API, validation: ssl"},
	After: []string{"ADMIN-SSL-KEY-HIDDEN"},
	Run: func(ctx context.Context, t *spec.T) {
		cert, key := selfsigned.Certificate(t)
		path := "/ssls/" + t.Name("s")
		t.Track(path[1:])
		noCert := "-----BEGIN CERTIFICATE-----\n" + strings.Repeat("A", 200) + "\n-----END CERTIFICATE-----\n"
		noKey := "-----BEGIN PRIVATE KEY-----\n" + strings.Repeat("A", 200) + "\n-----END PRIVATE KEY-----\n"
		for _, body := range []string{
			fmt.Sprintf(`{"snis":[%q],"cert":%q,"key":%q}`, t.Host(), noCert, key),
			fmt.Sprintf(`{"snis":[%q],"cert":%q,"key":%q}`, t.Host(), cert, noKey),
			fmt.Sprintf(`{"snis":[%q],"cert":%q}`, t.Host(), cert),
			fmt.Sprintf(`{"snis":[%q],"key":%q}`, t.Host(), key),
			fmt.Sprintf(`{"cert":%q,"key":%q}`, cert, key),
			fmt.Sprintf(`{"snis":[%q],"cert":%q,"key":%q,"certs":[%q],"keys":[]}`, t.Host(), cert, key, cert),
		} {
			ask.Refused(ctx, t, put(path, body), http.StatusBadRequest, "")
			ask.Missing(ctx, t, get(path))
		}
	},
}
