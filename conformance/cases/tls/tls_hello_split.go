package tls

import (
	"context"
	"time"

	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway that looks for the name in whatever comes first, and finds
// none, or the wrong certificate, when a handshake begins in several pieces: large
// ones do on every network.
var tlsHelloSplit = spec.Case{
	ID: "TLS-HELLO-SPLIT", Level: spec.Must, Needs: []spec.Feature{spec.TLSSNI}, Env: []spec.Capability{spec.TLS},
	Title:    "A handshake whose first message comes in several TCP segments, or in several records, gets the certificate of its name.",
	Refs:     []string{"RFC 8446 5.1: messages may be fragmented across several records"},
	After:    []string{"TLS-SNI-EXACT"},
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		name, p := oneName(ctx, t, false)
		for _, gw := range t.Env().Gateways() {
			for why, parts := range map[string]func([]byte) [][]byte{
				"a hello in 8 segments": func(b []byte) [][]byte { return pieces(b, 8) },
				"a hello in 8 records":  func(b []byte) [][]byte { return records(b, 8) },
			} {
				d := traffic.Secure{Dialer: cutter{t.Env().Clients()[0].Dialer, parts, 10 * time.Millisecond}, Config: client(name)}
				callBy(ctx, t, d, gw, traffic.Request{Host: name}).served(t, p, t.Backend(0), why)
			}
		}
	},
}
