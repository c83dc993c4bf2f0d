package h2

import (
	"context"

	"golang.org/x/net/http2"

	"github.com/unilb/unilb/conformance/cases/framed"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that one client keeps at work without limit: a request that is
// given up at once costs the client a few bytes, does not count as under way, and costs
// gateway and targets a whole request.
var floodResets = spec.Case{
	ID: "H2-FLOOD-RESETS", Level: spec.Should, Needs: []spec.Feature{spec.HTTP2}, Env: []spec.Capability{spec.TLS},
	Title:  "A client that opens streams and resets them at once, again and again, has its connection ended; others are served all the time.",
	Refs:   []string{"CVE-2023-44487", "RFC 9113 10.5"},
	After:  []string{"H2-STREAMS-OWN"},
	Played: 1,
	Run: func(ctx context.Context, t *spec.T) {
		flood(ctx, t, "20 requests and their resets", 250, func(c *framed.Conn, fr *http2.Framer, _ int) error {
			for range 20 {
				if err := c.GivenUp(fr, get(t, attacked)); err != nil {
					return err
				}
			}
			return nil
		})
	},
}
