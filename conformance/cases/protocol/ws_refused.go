package protocol

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/raw"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that makes a tunnel of what was no switch, or loses the body of the
// refusal.
var wsRefused = spec.Case{
	ID: "WS-REFUSED", Level: spec.Must, Needs: []spec.Feature{spec.WebSocket},
	Title: "When the backend refuses the upgrade its answer reaches the client whole, and the connection goes on or ends in order.",
	Refs:  []string{"RFC 9110 7.8", "RFC 6455 4.2.2"},
	After: []string{"WS-UPGRADE"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "enable_websocket": true, "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: func(ctx context.Context, t *spec.T) {
		raw.Play(t, 0, func(b *raw.Backend, r raw.Request) raw.Answer {
			if r.Fields.Get("Upgrade") == "" {
				return b.Echo(r)
			}
			return raw.Answer{Bytes: b.Head(r, 403, "Content-Length: 4") + "no!\n"}
		})
		c := raw.Dial(ctx, t, t.Env().Gateways()[0].Data)
		r := c.Do(ctx, wsRequest(t.Host()))
		if !r.Mine() || r.Reply.Status != 403 || string(r.Reply.Body) != "no!\n" {
			t.Fatalf("got %s, want the backend's 403 (op %s)", r, r.Op.ID)
		}
		if !r.Reply.Close {
			r = c.Do(ctx, get("none."+t.Host(), after, ""))
			ours := r.Reply != nil && !r.Reply.FromBackend()
			t.Check(ours || r.Ended(), "the next request, for which there is no route: got %s, want an answer of the gateway (op %s)", r, r.Op.ID)
		}
	},
}
