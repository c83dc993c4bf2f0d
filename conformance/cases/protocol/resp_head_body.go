package protocol

import (
	"context"
	"fmt"

	"github.com/unilb/unilb/conformance/cases/raw"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that goes on with a connection on which a body follows the answer
// to HEAD.
var respHeadBody = spec.Case{
	ID: "RESP-HEAD-BODY", Level: spec.Must, Needs: []spec.Feature{spec.H1Framing},
	Title: "A body that a backend sends to HEAD is not given to anybody as the answer to another request.",
	Refs:  []string{"RFC 9110 9.3.2", "RFC 9112 6.3"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: func(ctx context.Context, t *spec.T) {
		raw.Play(t, 0, func(b *raw.Backend, r raw.Request) raw.Answer {
			if r.Method == "HEAD" {
				inner := b.Head(raw.Request{}, 200, "Content-Length: 9") + smuggled[:9]
				return b.With(r, inner, fmt.Sprintf("Content-Length: %d", len(inner)))
			}
			return b.Echo(r)
		})
		c := raw.Dial(ctx, t, t.Env().Gateways()[0].Data)
		for i := range 20 {
			r := c.Do(ctx, message(fmt.Sprintf("HEAD /%d HTTP/1.1", i), t.Host(), "", ""))
			t.Check(r.Mine() || r.Reply != nil && !r.Reply.FromBackend(), "HEAD %d: got %s, want its own answer (op %s)", i, r, r.Op.ID)
			if r.Reply == nil {
				break
			}
			if r.Reply.Close {
				c = raw.Dial(ctx, t, t.Env().Gateways()[0].Data)
			}
			r = c.Do(ctx, get(t.Host(), after, ""))
			t.Check(r.Mine() || r.Ended() || r.Reply != nil && !r.Reply.FromBackend(), "GET %d: got %s, want its own answer (op %s)", i, r, r.Op.ID)
			if r.Reply == nil || r.Reply.Close {
				c = raw.Dial(ctx, t, t.Env().Gateways()[0].Data)
			}
		}
	},
}
