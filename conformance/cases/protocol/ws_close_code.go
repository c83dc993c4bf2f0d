package protocol

import (
	"context"
	"io"
	"net"

	"github.com/unilb/unilb/conformance/cases/raw"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that closes with a code of its own, or cuts the connection before
// the close has passed.
var wsCloseCode = spec.Case{
	ID: "WS-CLOSE-CODE", Level: spec.Must, Needs: []spec.Feature{spec.WebSocket},
	Title: "The code and the reason of a close pass in both directions, and then the connection ends.",
	Refs:  []string{"RFC 6455 5.5.1", "RFC 6455 7.4"},
	After: []string{"WS-UPGRADE"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "enable_websocket": true, "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
-- routes/{{.ID}}-end --
{"host": "end.{{.Host}}", "uri": "/*", "enable_websocket": true, "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 1}}": 1}}}
`,
	Played: 2,
	Run: func(ctx context.Context, t *spec.T) {
		bye := "\x0f\xa1bye" // 4001
		raw.Play(t, 0, wsServer(nil))
		c := wsDial(ctx, t)
		c.send(wsFrame{op: wsClose, payload: bye})
		c.gets(wsFrame{op: wsClose, payload: bye})
		c.ends(ctx)

		t.Step("a code without a reason, from the backend")
		b := "\x0f\xa2" // 4002
		raw.Play(t, 1, wsServer(func(c net.Conn, r io.Reader) {
			_, _ = c.Write(wsFrame{op: wsClose, payload: b}.encode()) // the client misses it when it did not come
			_, _ = readFrame(r)
		}))
		c = wsDialAt(ctx, t, "end."+t.Host())
		c.gets(wsFrame{op: wsClose, payload: b})
		c.send(wsFrame{op: wsClose, payload: b})
		c.ends(ctx)
	},
}
