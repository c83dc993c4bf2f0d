package admin

import (
	"context"
	"fmt"
	"net/http"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/cases/selfsigned"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API that lets an upstream show a certificate that is not there, or
// one that clients are shown.
var adminSslUpstreamCert = spec.Case{
	ID: "ADMIN-SSL-UPSTREAM-CERT", Level: spec.Must, Needs: []spec.Feature{spec.AdminSSL},
	Title: "The certificate that an upstream refers to must exist and be of the type client.",
	Refs:  []string{"APISIX 3.18 Admin API, reference checks"},
	After: []string{"ADMIN-SSL-BAD"},
	Run: func(ctx context.Context, t *spec.T) {
		cert, key := selfsigned.Certificate(t)
		id, up := t.Name("cert"), t.Name("u")
		upstream := put("/upstreams/"+up, fmt.Sprintf(`{%s,"scheme":"https","tls":{"client_cert_id":%q}}`, nodes, id))
		refusedWith(ctx, t, no{upstream, "failed to fetch ssl info by ssl id [" + id + "], response code: 404"})
		t.Put(ctx, "ssls/"+id, fmt.Sprintf(`{"snis":[%q],"cert":%q,"key":%q}`, t.Host(), cert, key))
		refusedWith(ctx, t, no{upstream, "failed to fetch ssl info by ssl id [" + id + "], wrong ssl type"})
		t.Put(ctx, "ssls/"+id, fmt.Sprintf(`{"type":"client","cert":%q,"key":%q}`, cert, key))
		t.Track("upstreams/" + up)
		ask.Answered(ctx, t, upstream, http.StatusCreated)
	},
}
