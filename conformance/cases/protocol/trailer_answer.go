package protocol

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/raw"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that merges the trailers of an answer into its head.
var trailerAnswer = spec.Case{
	ID: "TRAILER-ANSWER", Level: spec.Must, Needs: []spec.Feature{spec.H1Trailers},
	Title: "Trailers of an answer reach the client as trailers or not at all, never as fields of the head.",
	Refs:  []string{"RFC 9110 6.5.1", "RFC 9112 7.1.2"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: func(ctx context.Context, t *spec.T) {
		raw.Play(t, 0, func(b *raw.Backend, r raw.Request) raw.Answer {
			return b.With(r, "5\r\nhello\r\n0\r\nX-Trail: 1\r\nContent-Length: 50\r\n\r\n", "Trailer: X-Trail", "Transfer-Encoding: chunked")
		})
		c := raw.Dial(ctx, t, t.Env().Gateways()[0].Data)
		for range 2 {
			r := c.Do(ctx, get(t.Host(), attacked, "TE: trailers\r\nConnection: TE\r\n"))
			if !r.Mine() {
				t.Fatalf("got %s, want 200 from the backend (op %s)", r, r.Op.ID)
			}
			t.Check(string(r.Reply.Body) == "hello", "got body %q, want hello (op %s)", r.Reply.Body, r.Op.ID)
			t.Check(r.Reply.Header.Get("X-Trail") == "", "the trailer came as a field (op %s)", r.Op.ID)
		}
	},
}
