package protocol

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/raw"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that waits for a body that does not come, or sends one that
// nobody reads: all later answers of the connection are out of step.
var connHeadNoBody = spec.Case{
	ID: "CONN-HEAD-NO-BODY", Level: spec.Must, Needs: []spec.Feature{spec.H1Connection},
	Title: "An answer to HEAD has no body, whatever its fields say, and the next answer follows at once.",
	Refs:  []string{"RFC 9110 9.3.2", "RFC 9112 6.3"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: func(ctx context.Context, t *spec.T) {
		raw.Play(t, 0, func(b *raw.Backend, r raw.Request) raw.Answer {
			if r.Method == "HEAD" {
				return b.With(r, "", "Content-Length: 5")
			}
			return b.Echo(r)
		})
		c := raw.Dial(ctx, t, t.Env().Gateways()[0].Data)
		for range 3 {
			r := c.Do(ctx, message("HEAD "+attacked+" HTTP/1.1", t.Host(), "", ""))
			t.Check(r.Mine() && r.Reply.Status == 200, "HEAD: got %s, want 200 from the backend (op %s)", r, r.Op.ID)
			r = c.Do(ctx, get(t.Host(), after, ""))
			t.Check(r.Mine() && string(r.Reply.Body) == after, "GET behind it: got %s, want its own answer (op %s)", r, r.Op.ID)
		}
	},
}
