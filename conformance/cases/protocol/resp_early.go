package protocol

import (
	"context"
	"fmt"
	"strings"

	"github.com/unilb/unilb/conformance/cases/raw"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that sends the rest of the body as the next request over a
// connection that it keeps, or waits for ever.
var respEarly = spec.Case{
	ID: "RESP-EARLY", Level: spec.Should, Needs: []spec.Feature{spec.H1Framing},
	Title: "An answer that comes before the body of the request has been sent reaches the client or becomes an error, and everybody is in step afterwards.",
	Refs:  []string{"RFC 9112 9.3", "RFC 9110 10.1.1"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: func(ctx context.Context, t *spec.T) {
		b := raw.Play(t, 0, nil)
		b.Early(func(r raw.Request) *raw.Answer {
			return &raw.Answer{Bytes: b.Head(r, 413, "Content-Length: 0", "Connection: close"), Close: true}
		})
		for range 3 {
			c := raw.Dial(ctx, t, t.Env().Gateways()[0].Data)
			r := c.Do(ctx, message("POST "+attacked+" HTTP/1.1", t.Host(), fmt.Sprintf("Content-Length: %d\r\n", 512<<10), strings.Repeat("x", 512<<10)))
			t.Check(r.Ended() || r.Reply != nil && r.Reply.Status >= 400, "got %s, want 413, an error or the end (op %s)", r, r.Op.ID)
			_ = c.Close() // whatever is left of it
			fences(ctx, t, t.Host())
		}
	},
}
