package protocol

import (
	"context"
	"strings"

	"github.com/unilb/unilb/conformance/cases/raw"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that expects a head, a chunk size or the end of a line in one
// piece.
var connByteByByte = spec.Case{
	ID: "CONN-BYTE-BY-BYTE", Level: spec.Must, Needs: []spec.Feature{spec.H1Connection},
	Title: "It does not matter in which pieces a request arrives.",
	Refs:  []string{"RFC 9112 2.2", "RFC 9112 9.3"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: func(ctx context.Context, t *spec.T) {
		b := raw.Play(t, 0, nil)
		c := raw.Dial(ctx, t, t.Env().Gateways()[0].Data)
		for range 2 {
			text := post("Transfer-Encoding: chunked\r\n", "5;a=b\r\nhello\r\n0\r\nX-Trail: 1\r\n\r\n")(t.Host())
			s := c.Begin(text)
			text = strings.ReplaceAll(text, raw.OpMark, s.ID())
			for i := range len(text) {
				if err := c.Write(text[i : i+1]); err != nil {
					break // the answer tells why
				}
				if i%40 == 0 { // what came may be read by now
					other := raw.Dial(ctx, t, t.Env().Gateways()[0].Data)
					other.Do(ctx, get("none."+t.Host(), "/", "Connection: close\r\n"))
					_ = other.Close() // it was the last request
				}
			}
			r := c.Reply(ctx, s)
			t.Check(r.Mine(), "got %s, want 200 from the backend (op %s)", r, r.Op.ID)
		}
		for _, r := range b.Take().Requests {
			t.Check(string(r.Body) == "hello", "the backend saw the body %q, want hello", r.Body)
		}
	},
}
