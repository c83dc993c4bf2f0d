package tls

import (
	"context"
	"net/http"

	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/pki"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway that wants certificates for paths that are to be open, and one
// that opens everything because some paths are.
var tlsClientCertSkip = spec.Case{
	ID: "TLS-CLIENT-CERT-SKIP", Level: spec.Must, Needs: []spec.Feature{spec.TLSClientAuth}, Env: []spec.Capability{spec.TLS},
	Title:    "Paths of skip_mtls_uri_regex are served without a certificate of the client, or with a bad one; others are not, however they are spelt.",
	Refs:     []string{"APISIX 3.18 ssl.client.skip_mtls_uri_regex"},
	After:    []string{"TLS-CLIENT-CERT"},
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		ca, club, name := newAuthority(t, "case"), newAuthority(t, "club"), "a."+t.Host()
		own, member, foreigner := ca.issue(name), club.issue("member"), newAuthority(t, "club").issue("member")
		o := server(own, name)
		o["client"] = object{"ca": club.PEM, "depth": 1, "skip_mtls_uri_regex": []string{"^/open/", "^/health$"}}
		put(ctx, t, "a", o)
		route(ctx, t, "a", name, t.Backend(0))
		t.Wait(ctx)
		for _, gw := range t.Env().Gateways() {
			for _, x := range []struct {
				path        string
				none, wrong bool // served without a certificate, with one of another authority
			}{
				{"/open/x", true, true}, {"/health", true, true}, {"/health?open", true, true}, {"/", false, false}, {"/healthy", false, false},
				{"/closed?/open/", false, false}, {"/open/../closed", false, false},
			} {
				ask := func(p *pki.Pair) visit {
					c := client(name)
					if p != nil {
						c = with(c, *p)
					}
					d := traffic.Secure{Dialer: t.Env().Clients()[0].Dialer, Config: c}
					return callBy(ctx, t, d, gw, traffic.Request{Host: name, Target: x.path})
				}
				judge := func(v visit, open bool, why string) {
					if open {
						v.served(t, own, t.Backend(0), why)
						return
					}
					t.Check(v.Reply != nil && !v.Reply.FromBackend() && v.Reply.Status == http.StatusBadRequest, "%s: %s: got %s, want the gateway's 400 (op %s)", gw.Ref, why, v.said(), v.Op.ID)
				}
				judge(ask(&member), true, x.path+", a certificate of the authority")
				judge(ask(nil), x.none, x.path+", no certificate")
				judge(ask(&foreigner), x.wrong, x.path+", a certificate of another authority")
			}
		}
	},
}
