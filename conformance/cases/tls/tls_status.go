package tls

import (
	"context"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that serves a certificate which was switched off, or loses it
// for good.
var tlsStatus = spec.Case{
	ID: "TLS-STATUS", Level: spec.Must, Needs: []spec.Feature{spec.TLSObjects}, Env: []spec.Capability{spec.TLS},
	Title:    "A certificate with status 0 is served to no handshake, and one for upstreams never is; with status 1 it is served again.",
	Refs:     []string{"APISIX 3.18 ssl.status, ssl.type"},
	After:    []string{"TLS-SNI-EXACT"},
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		ca, a, b := newAuthority(t, "case"), "a."+t.Host(), "b."+t.Host()
		pa, pb := ca.issue(a), ca.issue(b)
		state := func(n int) {
			o := server(pa, a)
			o["status"] = n
			put(ctx, t, "a", o)
			t.Wait(ctx)
		}
		shown := server(pb, b)
		shown["type"] = "client"
		put(ctx, t, "b", shown)
		route(ctx, t, "a", a, t.Backend(0))
		route(ctx, t, "b", b, t.Backend(0))
		state(1)
		for _, gw := range t.Env().Gateways() {
			call(ctx, t, gw, client(a), a).served(t, pa, t.Backend(0), "status 1")
			call(ctx, t, gw, client(b), b).stranger(t, "a certificate for upstreams", pa, pb)
		}
		state(0)
		for _, gw := range t.Env().Gateways() {
			call(ctx, t, gw, client(a), a).stranger(t, "status 0", pa, pb)
		}
		state(1)
		for _, gw := range t.Env().Gateways() {
			call(ctx, t, gw, client(a), a).served(t, pa, t.Backend(0), "status 1 again")
		}
	},
}
