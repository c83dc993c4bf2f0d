package protocol

import (
	"context"
	"fmt"

	"github.com/unilb/unilb/conformance/cases/raw"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that cuts WebSockets to bring an edit into force.
var wsOverEdit = spec.Case{
	ID: "WS-OVER-EDIT", Level: spec.Must, Needs: []spec.Feature{spec.WebSocket, spec.HotConfig},
	Title: "An upgraded connection outlives edits of its route, and of its upstream's nodes.",
	Refs:  []string{"RFC 6455 7.1", "APISIX 3.18 hot reload"},
	After: []string{"WS-UPGRADE"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "enable_websocket": true, "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 2,
	Run: func(ctx context.Context, t *spec.T) {
		raw.Play(t, 0, wsServer(nil))
		raw.Play(t, 1, wsServer(nil))
		c := wsDial(ctx, t)
		for i := range 4 {
			node := t.Played(i % 2).Backend.Addr // also to where this connection does not lead
			t.Put(ctx, "routes/"+t.ID(), fmt.Sprintf(`{"host": %q, "uri": "/*", "desc": "edit %d", "enable_websocket": true, "upstream": {"type": "roundrobin", "nodes": {"%s": 1}}}`, t.Host(), i, node))
			t.Wait(ctx)
			f := wsFrame{op: wsText, payload: fmt.Sprintf("after edit %d", i)}
			c.send(f)
			c.gets(f)
		}
	},
}
