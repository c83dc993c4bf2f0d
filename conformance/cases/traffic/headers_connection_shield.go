package traffic

import (
	"context"
	"slices"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway that adds its headers first and then removes what the client's
// Connection names: a client without an address gets past whoever trusts them.
var headersConnectionShield = spec.Case{
	ID: "HDR-CONNECTION-SHIELD", Level: spec.Must, Needs: []spec.Feature{spec.ProxyHeaders},
	Title:    "A client cannot have the gateway's own headers removed by naming them in Connection.",
	Refs:     []string{"RFC 9110 7.6.1", "APISIX 3.18 request headers to the upstream"},
	Objects:  oneTarget,
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		for _, gw := range t.Env().Gateways() {
			s := ask.Session(t, gw.Data, traffic.Options{Conns: traffic.ConnPolicy{Keep: 1}})
			r := s.Do(ctx, traffic.Request{Host: t.Host()}.With("Connection", "X-Forwarded-For, X-Real-IP, x-forwarded-proto").With("X-Real-IP", "192.0.2.66"))
			a, client := ask.Seen(t, r), ask.ClientAddr(t, r)
			for name, want := range map[string]string{"X-Forwarded-For": client, "X-Real-IP": client, "X-Forwarded-Proto": "http", "Host": t.Host()} {
				t.Check(slices.Equal(a.Values(name), []string{want}), "%s: the backend saw %s: %q, want %q", gw.Ref, name, a.Values(name), want)
			}
		}
	},
}
