package tls

import (
	"context"
	"net/http"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that routes by the name of the handshake and lets the Host of
// the request pass unseen, or mixes both.
var tlsHostDiffers = spec.Case{
	ID: "TLS-HOST-DIFFERS", Level: spec.Must, Needs: []spec.Feature{spec.TLSSNI}, Env: []spec.Capability{spec.TLS},
	Title:    "A request whose Host is another name than that of its handshake is routed by its Host or answered 421, never by the handshake's name.",
	Refs:     []string{"RFC 9110 7.4", "APISIX 3.18 router: host_uri of the request"},
	After:    []string{"TLS-SNI-EXACT"},
	Backends: 2,
	Run: func(ctx context.Context, t *spec.T) {
		ca, a, b := newAuthority(t, "case"), "a."+t.Host(), "b."+t.Host()
		pa, pb := ca.issue(a), ca.issue(b)
		put(ctx, t, "a", server(pa, a))
		put(ctx, t, "b", server(pb, b))
		route(ctx, t, "a", a, t.Backend(0))
		route(ctx, t, "b", b, t.Backend(1))
		t.Wait(ctx)
		for _, gw := range t.Env().Gateways() {
			v := call(ctx, t, gw, client(a), b)
			ok := v.Reply != nil && (v.Backend() == t.Backend(1).Ref && v.Reply.Status == http.StatusOK || v.Reply.Status == http.StatusMisdirectedRequest)
			t.Check(ok, "%s: name %q, Host %q: got %s, want 200 from %s or 421 (op %s)", gw.Ref, a, b, v.said(), t.Backend(1).Ref, v.Op.ID)
			v = call(ctx, t, gw, client(a), "c."+t.Host())
			t.Check(v.Reply != nil && v.Reply.Status/100 == 4 && !v.Reply.FromBackend(),
				"%s: name %q, a Host without a route: got %s, want the gateway's 404 or 421 (op %s)", gw.Ref, a, v.said(), v.Op.ID)
		}
	},
}
