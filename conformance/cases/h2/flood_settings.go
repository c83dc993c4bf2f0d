package h2

import (
	"context"

	"golang.org/x/net/http2"

	"github.com/unilb/unilb/conformance/cases/framed"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that answers whatever number of questions that nobody needs: nine
// bytes of the client cost it nine of its own, and the time for both.
var floodSettings = spec.Case{
	ID: "H2-FLOOD-SETTINGS", Level: spec.Should, Needs: []spec.Feature{spec.HTTP2}, Env: []spec.Capability{spec.TLS},
	Title:  "A client that sends SETTINGS and PING without end has its connection ended; others are served all the time.",
	Refs:   []string{"CVE-2019-9512", "CVE-2019-9515", "RFC 9113 10.5"},
	After:  []string{"H2-STREAMS-OWN"},
	Played: 1,
	Run: func(ctx context.Context, t *spec.T) {
		flood(ctx, t, "100 SETTINGS and PING", 300, func(_ *framed.Conn, fr *http2.Framer, _ int) error {
			for range 50 {
				if err := fr.WriteSettings(); err != nil {
					return err
				}
				if err := fr.WritePing(false, [8]byte{}); err != nil {
					return err
				}
			}
			return nil
		})
	},
}
