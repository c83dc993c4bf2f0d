package protocol

import (
	"context"
	"time"

	"github.com/unilb/unilb/conformance/cases/raw"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that answers pipelined requests as the backend gets ready: each
// client takes the other answer for its own.
var connPipelineOrder = spec.Case{
	ID: "CONN-PIPELINE-ORDER", Level: spec.Must, Needs: []spec.Feature{spec.H1Connection},
	Title: "Requests that a client sends without waiting are answered in the order in which they came.",
	Refs:  []string{"RFC 9112 9.3.2"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: func(ctx context.Context, t *spec.T) {
		raw.Play(t, 0, func(b *raw.Backend, r raw.Request) raw.Answer {
			a := b.Echo(r)
			if r.Target == "/1" { // the later ones overtake it if they can
				a.Wait = soon(100 * time.Millisecond)
			}
			return a
		})
		c := raw.Dial(ctx, t, t.Env().Gateways()[0].Data)
		var sent []*raw.Sent
		for _, target := range []string{"/1", "/2", "/3"} {
			sent = append(sent, c.Send(get(t.Host(), target, "")))
		}
		for i, s := range sent {
			r := c.Reply(ctx, s)
			t.Check(r.Mine(), "request %d of 3: got %s, want its own answer (op %s)", i+1, r, r.Op.ID)
		}
	},
}
