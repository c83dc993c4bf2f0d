package protocol

import (
	"context"
	"strings"

	"github.com/unilb/unilb/conformance/cases/raw"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that takes Upgrade for any field of one connection, or drops a
// field of the handshake.
var wsUpgrade = spec.Case{
	ID: "WS-UPGRADE", Level: spec.Must, Needs: []spec.Feature{spec.WebSocket},
	Title: "An upgrade to WebSocket passes to the backend, and its 101 to the client, with all fields that make it valid.",
	Refs:  []string{"RFC 6455 4.1", "RFC 6455 4.2.2", "RFC 9110 7.8", "APISIX 3.18 route.enable_websocket"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "enable_websocket": true, "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: func(ctx context.Context, t *spec.T) {
		b := raw.Play(t, 0, wsServer(nil))
		c := raw.Dial(ctx, t, t.Env().Gateways()[0].Data)
		r := c.Do(ctx, wsRequest(t.Host()))
		if !r.Mine() || r.Reply.Status != 101 {
			t.Fatalf("got %s, want 101 from the backend (op %s)", r, r.Op.ID)
		}
		t.Check(r.Reply.Header.Get("Sec-WebSocket-Accept") == wsAccept(wsKey), "the client got Sec-WebSocket-Accept %q", r.Reply.Header.Get("Sec-WebSocket-Accept"))
		t.Check(strings.EqualFold(r.Reply.Header.Get("Upgrade"), "websocket"), "the client got Upgrade %q", r.Reply.Header.Get("Upgrade"))
		t.Check(r.Reply.Header.Lists("Connection", "Upgrade"), "the client got Connection %q", r.Reply.Header.Values("Connection"))
		for _, q := range b.Take().Requests {
			t.Check(q.Fields.Get("Sec-WebSocket-Version") == "13", "the backend saw Sec-WebSocket-Version %q", q.Fields.Get("Sec-WebSocket-Version"))
			t.Check(q.Fields.Get("Sec-WebSocket-Key") == wsKey, "the backend saw Sec-WebSocket-Key %q", q.Fields.Get("Sec-WebSocket-Key"))
		}
	},
}
