package protocol

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/raw"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that puts fragments together or holds a ping back until the message
// is complete.
var wsFragments = spec.Case{
	ID: "WS-FRAGMENTS", Level: spec.Must, Needs: []spec.Feature{spec.WebSocket},
	Title: "Fragments of a message, and a ping between them, pass as they are.",
	Refs:  []string{"RFC 6455 5.4"},
	After: []string{"WS-UPGRADE"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "enable_websocket": true, "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: func(ctx context.Context, t *spec.T) {
		raw.Play(t, 0, wsServer(nil))
		c := wsDial(ctx, t)
		c.send(wsFrame{op: wsText, more: true, payload: "one "})
		c.gets(wsFrame{op: wsText, more: true, payload: "one "})
		c.send(wsFrame{op: wsPing, payload: "between"})
		c.gets(wsFrame{op: wsPong, payload: "between"})
		c.send(wsFrame{payload: "two"})
		c.gets(wsFrame{payload: "two"})
	},
}
