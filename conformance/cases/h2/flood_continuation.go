package h2

import (
	"bytes"
	"context"

	"golang.org/x/net/http2"

	"github.com/unilb/unilb/conformance/cases/framed"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that gathers a head which never ends: it looks at how long a head
// is when all of it is there, and so keeps, or decodes, without a limit.
var floodContinuation = spec.Case{
	ID: "H2-FLOOD-CONTINUATION", Level: spec.Must, Needs: []spec.Feature{spec.HTTP2}, Env: []spec.Capability{spec.TLS},
	Title:  "A client that begins a head and sends CONTINUATION without end has its connection ended before 4 MiB; others are served all the time.",
	Refs:   []string{"VU#421644", "RFC 9113 10.5.1"},
	After:  []string{"H2-STREAMS-OWN"},
	Played: 1,
	Run: func(ctx context.Context, t *spec.T) {
		// A literal that goes into no table, with a name and a value of few bytes: it
		// can be decoded, and cut behind any of them.
		field := append([]byte{0, 6}, "x-nameZvalue"...)
		field[8] = 5
		part := bytes.Repeat(field, (16<<10)/len(field))
		flood(ctx, t, "16 KiB of a head", 256, func(c *framed.Conn, fr *http2.Framer, n int) error {
			if n == 0 {
				return c.Begin(fr, get(t, attacked))
			}
			return fr.WriteContinuation(1, false, part)
		})
	},
}
