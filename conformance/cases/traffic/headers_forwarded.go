package traffic

import (
	"context"
	"slices"
	"strconv"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway that overwrites the header it knows and passes on its twin: an
// application that reads Forwarded, or builds links from X-Forwarded-Port, believes
// whatever the client says.
var headersForwarded = spec.Case{
	ID: "HDR-FORWARDED", Level: spec.Must, Needs: []spec.Feature{spec.ProxyHeaders},
	Title:    "A client's Forwarded and X-Forwarded-Port do not reach the backend: the first is removed, the second is the port that the client connected to.",
	Refs:     []string{"APISIX 3.18 request headers to the upstream", "RFC 7239 8.1"},
	Objects:  oneTarget,
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		for _, gw := range t.Env().Gateways() {
			s := ask.Session(t, gw.Data, traffic.Options{Conns: traffic.ConnPolicy{Keep: 1}})
			for _, lines := range [][]history.Field{nil, {
				{Name: "Forwarded", Value: "for=192.0.2.66;proto=https"}, {Name: "X-Forwarded-Port", Value: "1"}, {Name: "forwarded", Value: "for=192.0.2.67"}, {Name: "X-Forwarded-Port", Value: "2"},
			}} {
				a := ask.Seen(t, s.Do(ctx, traffic.Request{Host: t.Host(), Header: lines}))
				want := []string{strconv.Itoa(int(gw.Data.Port()))}
				t.Check(slices.Equal(a.Values("X-Forwarded-Port"), want), "%s: the backend saw X-Forwarded-Port %q, want %q", gw.Ref, a.Values("X-Forwarded-Port"), want)
				for _, v := range a.Values("Forwarded") {
					t.Check(v == "", "%s: the backend saw the client's Forwarded: %q", gw.Ref, v)
				}
			}
		}
	},
}
