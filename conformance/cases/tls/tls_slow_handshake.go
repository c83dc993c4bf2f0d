package tls

import (
	"context"

	"github.com/unilb/unilb/conformance/spec"
)

// stalled is how many connections of each kind stop in the middle of a handshake:
// more than a gateway has workers.
const stalled = 16

// Catches a gateway that shakes hands with one client after the other: a single
// client that stops half-way keeps everybody out.
var tlsSlowHandshake = spec.Case{
	ID: "TLS-SLOW-HANDSHAKE", Level: spec.Must, Needs: []spec.Feature{spec.TLSSNI}, Env: []spec.Capability{spec.TLS},
	Title:    "While 48 clients have stopped before, within and after the first message of their handshake, others are served.",
	Refs:     []string{"RFC 9325 7.5: denial of service by handshakes"},
	After:    []string{"TLS-SNI-EXACT"},
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		name, p := oneName(ctx, t, false)
		hello, from := helloOf(t, client(name)), t.Env().Clients()[0]
		for _, gw := range t.Env().Gateways() {
			for _, sent := range [][]byte{nil, hello[:len(hello)/2], hello} {
				for range stalled {
					c, err := from.Dialer.Dial(ctx, "tcp", gw.TLS)
					if err != nil {
						t.Fatalf("%s: dial %s: %v", gw.Ref, gw.TLS, err)
					}
					t.Cleanup(func(context.Context) error { _ = c.Close(); return nil }) // the gateway may have closed it
					if _, err := c.Write(sent); err != nil {
						t.Fatalf("%s: begin a handshake: %v", gw.Ref, err)
					}
				}
			}
			for range 10 {
				call(ctx, t, gw, client(name), name).served(t, p, t.Backend(0), "while others have stopped half-way")
			}
		}
	},
}
