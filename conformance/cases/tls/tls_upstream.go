package tls

import (
	"context"
	"slices"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that sends in the clear what should be secret, and one that
// asks targets for no name or another than it tells them as Host: a target that
// serves several names shows the wrong certificate, or turns it away.
var tlsUpstream = spec.Case{
	ID: "TLS-UPSTREAM", Level: spec.Must, Needs: []spec.Feature{spec.TLSUpstream},
	Title:    "A target of scheme https is asked over TLS, by the name that it is told as Host: the client's, or upstream_host; for an address by none.",
	Refs:     []string{"APISIX 3.18 upstream.scheme https, upstream.pass_host", "RFC 6066 3"},
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		s := secured(t)
		hosts := map[string]string{"pass": "pass." + t.Host(), "rewrite": "rewrite." + t.Host(), "node": "node." + t.Host()}
		secureRoute(ctx, t, "pass", hosts["pass"], nil)
		secureRoute(ctx, t, "rewrite", hosts["rewrite"], object{"pass_host": "rewrite", "upstream_host": "inner.example"})
		secureRoute(ctx, t, "node", hosts["node"], object{"pass_host": "node"})
		t.Wait(ctx)
		for _, gw := range t.Env().Gateways() {
			for _, x := range []struct{ pass, host, name string }{
				{"pass", hosts["pass"], hosts["pass"]}, {"rewrite", "inner.example", "inner.example"}, {"node", t.Backend(0).Addr.String(), ""},
			} {
				s.heard()
				r := arrives(ctx, t, gw, hosts[x.pass], "pass_host "+x.pass)
				if names := s.heard(); r.Backend() != "" {
					t.Check(slices.Equal(names, []string{x.name}), "%s: pass_host %s: the target was asked for %q, want %q (op %s)", gw.Ref, x.pass, names, x.name, r.Op.ID)
					got := ask.Seen(t, r).Values("Host")
					t.Check(slices.Equal(got, []string{x.host}), "%s: pass_host %s: Host is %q, want %q (op %s)", gw.Ref, x.pass, got, x.host, r.Op.ID)
				}
			}
		}
	},
}
