package tls

import (
	"context"

	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/pki"
)

// Catches a gateway that shows targets no certificate, and one that keeps a
// connection which was opened with somebody's certificate and sends the requests of
// others over it.
var tlsUpstreamClientCert = spec.Case{
	ID: "TLS-UPSTREAM-CLIENT-CERT", Level: spec.Must, Needs: []spec.Feature{spec.TLSUpstream},
	Title:    "A target that wants certificates gets that of the upstream, its own or that of an ssl object of type client, as it is now; upstreams without one reach nothing, also not over the connections of others.",
	Refs:     []string{"APISIX 3.18 upstream.tls.client_cert, upstream.tls.client_cert_id"},
	After:    []string{"TLS-UPSTREAM"},
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		club := newAuthority(t, "club")
		member, foreigner := club.issue("member"), newAuthority(t, "club").issue("member") // the name proves nothing
		secured(t, club)
		client := func(p pki.Pair) object { return object{"type": "client", "cert": p.Cert, "key": p.Key} }
		inner := func(tls object) object {
			return object{"pass_host": "rewrite", "upstream_host": "inner.example", "tls": tls}
		}
		own, byID, none, wrong := "own."+t.Host(), "by-id."+t.Host(), "none."+t.Host(), "wrong."+t.Host()
		put(ctx, t, "client", client(member))
		secureRoute(ctx, t, "own", own, inner(object{"client_cert": member.Cert, "client_key": member.Key}))
		secureRoute(ctx, t, "by-id", byID, inner(object{"client_cert_id": t.Name("client")}))
		secureRoute(ctx, t, "none", none, inner(object{}))
		secureRoute(ctx, t, "wrong", wrong, inner(object{"client_cert": foreigner.Cert, "client_key": foreigner.Key}))
		t.Wait(ctx)
		for _, gw := range t.Env().Gateways() {
			arrives(ctx, t, gw, own, "a certificate of the upstream's own")
			stays(ctx, t, gw, none, "no certificate")
			stays(ctx, t, gw, wrong, "a certificate of another authority")
			arrives(ctx, t, gw, byID, "a certificate by reference")
			stays(ctx, t, gw, none, "no certificate, again")
		}
		put(ctx, t, "client", client(foreigner))
		t.Wait(ctx)
		for _, gw := range t.Env().Gateways() {
			stays(ctx, t, gw, byID, "a certificate by reference that was replaced by one of another authority")
			arrives(ctx, t, gw, own, "a certificate that is still the old one")
		}
	},
}
