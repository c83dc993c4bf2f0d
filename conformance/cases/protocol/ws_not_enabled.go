package protocol

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/raw"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that lets anybody open a tunnel through any route.
var wsNotEnabled = spec.Case{
	ID: "WS-NOT-ENABLED", Level: spec.Must, Needs: []spec.Feature{spec.WebSocket},
	Title: "Without enable_websocket an upgrade is not passed on: the backend does not see it, and the client gets no 101.",
	Refs:  []string{"APISIX 3.18 route.enable_websocket", "RFC 9110 7.8"},
	After: []string{"WS-UPGRADE"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: func(ctx context.Context, t *spec.T) {
		b := raw.Play(t, 0, wsServer(nil))
		c := raw.Dial(ctx, t, t.Env().Gateways()[0].Data)
		r := c.Do(ctx, wsRequest(t.Host()))
		t.Check(r.Reply != nil && r.Reply.Status != 101, "got %s, want any answer but 101 (op %s)", r, r.Op.ID)
		for _, q := range b.Take().Requests {
			t.Check(q.Fields.Get("Upgrade") == "", "the backend saw Upgrade: %q", q.Fields.Get("Upgrade"))
		}
	},
}
