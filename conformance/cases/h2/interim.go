package h2

import (
	"context"
	"slices"

	"github.com/unilb/unilb/conformance/cases/framed"
	"github.com/unilb/unilb/conformance/cases/raw"
	"github.com/unilb/unilb/conformance/spec"
)

// Shows a gateway that keeps early hints from clients of HTTP/2, the only ones of which
// most browsers take them.
var interim = spec.Case{
	ID: "H2-INTERIM", Level: spec.Should, Needs: []spec.Feature{spec.HTTP2, spec.ProxyInterim}, Env: []spec.Capability{spec.TLS},
	Title:  "Two answers 103 of a target reach a client of HTTP/2 before the last answer, which comes whole.",
	Refs:   []string{"RFC 9110 15.2", "RFC 9113 8.1", "RFC 8297"},
	Played: 1,
	Run: func(ctx context.Context, t *spec.T) {
		const hint = "HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n"
		place(ctx, t, func(b *raw.Backend, r raw.Request) raw.Answer {
			return raw.Answer{Bytes: hint + hint + b.Echo(r).Bytes}
		})
		c := dial(ctx, t, framed.Options{})
		for range 2 {
			r := c.Send(get(t, attacked), true).Answer(ctx)
			own(t, r, attacked, "behind two 103")
			t.Check(slices.Equal(r.Interim, []int{103, 103}), "%s: got %v before the answer, want 103 twice (op %s)", gateway(t).Ref, r.Interim, r.Op.ID)
		}
		correct(t, c)
	},
}
