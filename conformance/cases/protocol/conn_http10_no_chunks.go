package protocol

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/raw"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that passes chunks to a client that does not know them: their
// sizes end up in its files.
var connHTTP10NoChunks = spec.Case{
	ID: "CONN-HTTP10-NO-CHUNKS", Level: spec.Must, Needs: []spec.Feature{spec.H1Connection},
	Title: "A client of HTTP/1.0 gets no chunks, also when the backend answers in chunks.",
	Refs:  []string{"RFC 9112 6.1"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: func(ctx context.Context, t *spec.T) {
		raw.Play(t, 0, func(b *raw.Backend, r raw.Request) raw.Answer {
			if r.Proto == "HTTP/1.0" { // of a gateway that passes the version on
				a := b.With(r, "hello", "Connection: close")
				a.Close = true
				return a
			}
			return b.With(r, "5\r\nhello\r\n0\r\n\r\n", "Transfer-Encoding: chunked")
		})
		c := raw.Dial(ctx, t, t.Env().Gateways()[0].Data)
		r := c.Do(ctx, message("GET "+attacked+" HTTP/1.0", t.Host(), "", ""))
		if !r.Mine() {
			t.Fatalf("got %s, want 200 from the backend (op %s)", r, r.Op.ID)
		}
		t.Check(!r.Reply.Chunked, "the answer came in chunks (op %s)", r.Op.ID)
		t.Check(string(r.Reply.Body) == "hello", "got body %q, want hello (op %s)", r.Reply.Body, r.Op.ID)
	},
}
