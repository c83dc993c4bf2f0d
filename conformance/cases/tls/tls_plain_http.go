package tls

import (
	"context"

	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway that takes plain HTTP where it should speak TLS: what ought to
// be secret goes in the clear and works, so nobody notices.
var tlsPlainHTTP = spec.Case{
	ID: "TLS-PLAIN-HTTP", Level: spec.Must, Needs: []spec.Feature{spec.TLSSNI}, Env: []spec.Capability{spec.TLS},
	Title:    "A request without TLS to the address for TLS reaches no backend.",
	Refs:     []string{"RFC 9110 4.2.2: https is not http on another port"},
	After:    []string{"TLS-SNI-EXACT"},
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		name, _ := oneName(ctx, t, false)
		from := t.Env().Clients()[0]
		for _, gw := range t.Env().Gateways() {
			s := traffic.NewSession(from, gw.TLS, t.Env().Recorder(), traffic.Options{Stream: t.Name("plain"), Timeout: visitBound})
			v := visit{Result: s.Do(ctx, traffic.Request{Host: name}), gw: gw, name: name}
			v.refused(t, "plain HTTP")
		}
	},
}
