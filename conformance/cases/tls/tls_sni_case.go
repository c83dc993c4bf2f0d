package tls

import (
	"context"
	"strings"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that compares names byte by byte, and has no certificate for
// a user who typed a capital.
var tlsSNICase = spec.Case{
	ID: "TLS-SNI-CASE", Level: spec.Must, Needs: []spec.Feature{spec.TLSSNI}, Env: []spec.Capability{spec.TLS},
	Title:    "Names in a handshake are compared without regard to case.",
	Refs:     []string{"RFC 6066 3: the comparison of host names is case-insensitive", "APISIX 3.18 ssl match: the name is lower-cased"},
	After:    []string{"TLS-SNI-EXACT"},
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		name := "a." + t.Host()
		p := newAuthority(t, "case").issue(name)
		put(ctx, t, "a", server(p, name))
		route(ctx, t, "a", name, t.Backend(0))
		t.Wait(ctx)
		for _, gw := range t.Env().Gateways() {
			for _, asked := range []string{name, strings.ToUpper(name), "A" + name[1:]} {
				call(ctx, t, gw, client(asked), name).served(t, p, t.Backend(0), "another spelling")
			}
		}
	},
}
