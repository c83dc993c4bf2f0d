package tls

import (
	"context"
	"fmt"
	"strings"

	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/pki"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway that lets no route ask who the client is, and one that says of any
// certificate that it is a good one.
var tlsVarsClient = spec.Case{
	ID: "TLS-VARS-CLIENT", Level: spec.Must, Needs: []spec.Feature{spec.TLSClientAuth, spec.RouteVars}, Env: []spec.Capability{spec.TLS},
	Title:    "Conditions may ask for the certificate of the client: ssl_client_verify is SUCCESS, NONE or FAILED: with a reason, also where none is demanded; ssl_client_s_dn is its name.",
	Refs:     []string{"APISIX 3.18 route.vars, variables of nginx: ssl_client_verify, ssl_client_s_dn"},
	After:    []string{"TLS-VARS", "TLS-CLIENT-CERT-SKIP"},
	Backends: 2,
	Run: func(ctx context.Context, t *spec.T) {
		ca, club, name := newAuthority(t, "case"), newAuthority(t, "club"), "a."+t.Host()
		own, member, foreigner := ca.issue(name), club.issue("member"), newAuthority(t, "club").issue("member")
		o := server(own, name)
		o["client"] = object{"ca": club.PEM, "depth": 1, "skip_mtls_uri_regex": []string{"^/open/"}}
		put(ctx, t, "a", o)
		route(ctx, t, "a", name, t.Backend(0))
		for path, vars := range map[string]string{
			"/closed": `[["ssl_client_verify","==","SUCCESS"],["ssl_client_s_dn","==","CN=member"]]`, "/open/good": `[["ssl_client_verify","==","SUCCESS"]]`,
			"/open/none": `[["ssl_client_verify","==","NONE"],["ssl_client_s_dn","==",null]]`, "/open/bad": `[["ssl_client_verify","~~","^FAILED:"]]`,
		} {
			t.Put(ctx, "routes/"+t.Name("of-"+strings.ReplaceAll(path[1:], "/", "-")), fmt.Sprintf(`{"host":%q,"uri":%q,"vars":%s,"upstream":{"type":"roundrobin","nodes":{%q:1}}}`, name, path, vars, t.Backend(1).Addr))
		}
		t.Wait(ctx)
		for _, gw := range t.Env().Gateways() {
			for _, x := range []struct {
				path    string
				shown   *pki.Pair
				matches bool
			}{
				{"/closed", &member, true},
				{"/open/good", &member, true}, {"/open/good", nil, false}, {"/open/good", &foreigner, false},
				{"/open/none", &member, false}, {"/open/none", nil, true}, {"/open/none", &foreigner, false},
				{"/open/bad", &member, false}, {"/open/bad", nil, false}, {"/open/bad", &foreigner, true},
			} {
				c, who := client(name), "no certificate"
				if x.shown != nil {
					c, who = with(c, *x.shown), "a certificate of the authority"
				}
				if x.shown == &foreigner {
					who = "a certificate of another authority"
				}
				want := t.Backend(0)
				if x.matches {
					want = t.Backend(1)
				}
				v := callBy(ctx, t, traffic.Secure{Dialer: t.Env().Clients()[0].Dialer, Config: c}, gw, traffic.Request{Host: name, Target: x.path})
				v.served(t, own, want, x.path+", "+who)
			}
		}
	},
}
