package tls

import (
	"context"
	"slices"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway that tells backends of http although the client used https, so
// that they redirect it in circles or send cookies in the clear, and one that
// believes what clients say.
var tlsForwardedProto = spec.Case{
	ID: "TLS-FORWARDED-PROTO", Level: spec.Must, Needs: []spec.Feature{spec.TLSSNI, spec.ProxyHeaders}, Env: []spec.Capability{spec.TLS},
	Title:    "X-Forwarded-Proto is https over TLS and http without, whatever the client says.",
	Refs:     []string{"APISIX 3.18 X-Forwarded-Proto: $scheme"},
	After:    []string{"TLS-SNI-EXACT"},
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		name, _ := oneName(ctx, t, false)
		lying := func(proto string) traffic.Request {
			return traffic.Request{Host: name}.With("X-Forwarded-Proto", proto)
		}
		for _, gw := range t.Env().Gateways() {
			d := traffic.Secure{Dialer: t.Env().Clients()[0].Dialer, Config: client(name)}
			plain := ask.Session(t, gw.Data, traffic.Options{})
			for _, x := range []struct {
				how, want string
				r         traffic.Result
			}{
				{"over TLS", "https", callBy(ctx, t, d, gw, traffic.Request{Host: name}).Result},
				{"over TLS, from a client that says http", "https", callBy(ctx, t, d, gw, lying("http")).Result},
				{"without TLS", "http", plain.Do(ctx, traffic.Request{Host: name})},
				{"without TLS, from a client that says https", "http", plain.Do(ctx, lying("https"))},
			} {
				got := ask.Seen(t, x.r).Values("X-Forwarded-Proto")
				t.Check(slices.Equal(got, []string{x.want}), "%s: %s: X-Forwarded-Proto is %q, want %q (op %s)", gw.Ref, x.how, got, x.want, x.r.Op.ID)
			}
		}
	},
}
