package h2

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/framed"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/echo"
)

// Catches a gateway that sends more than a client has said it has room for, which
// clients end the connection for, or that never sends the rest.
var windows = spec.Case{
	ID: "H2-WINDOWS", Level: spec.Must, Needs: []spec.Feature{spec.HTTP2}, Env: []spec.Capability{spec.TLS},
	Title:  "Of an answer comes what the client's windows, of the stream and of the connection, let through, no byte more, and all of it in the end.",
	Refs:   []string{"RFC 9113 5.2.1", "RFC 9113 6.9.1"},
	After:  []string{"H2-BODIES"},
	Played: 1,
	Run: func(ctx context.Context, t *spec.T) {
		place(ctx, t, long)
		c := dial(ctx, t, framed.Options{Window: narrow, Hold: true})
		s := c.Send(get(t, "/long"), true)
		stands := func(want int, why string) {
			came := s.Got(ctx, want) && c.Ping(ctx) && s.Received() == want
			t.Check(came, "%s: %s: got %d bytes, want %d; %s", gateway(t).Ref, why, s.Received(), want, c)
		}
		stands(narrow, "the first window of a stream")
		s.Allow(500)
		stands(narrow+500, "500 bytes more")
		s.Allow(longBytes)
		stands(framed.Window, "the first window of the connection")
		c.Allow(1)
		stands(framed.Window+1, "one byte more")
		c.Allow(longBytes)
		intact(t, s.Answer(ctx), echo.Pattern(longBytes), "with room for all")
		correct(t, c)
	},
}
