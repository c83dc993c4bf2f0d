package protocol

import (
	"context"
	"io"
	"net"
	"time"

	"github.com/unilb/unilb/conformance/cases/raw"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that keeps half of a tunnel for ever.
var wsEnd = spec.Case{
	ID: "WS-END", Level: spec.Must, Needs: []spec.Feature{spec.WebSocket},
	Title: "When one side ends an upgraded connection the other side's ends, too.",
	Refs:  []string{"RFC 6455 7.1.1"},
	After: []string{"WS-UPGRADE"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "enable_websocket": true, "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: func(ctx context.Context, t *spec.T) {
		gone := make(chan struct{}, 1)
		raw.Play(t, 0, wsServer(func(c net.Conn, r io.Reader) {
			f, err := readFrame(r)
			if err == nil && f.payload == "end" {
				return // and the connection with it
			}
			_, _ = io.Copy(io.Discard, r) // until the client's end comes through
			select {
			case gone <- struct{}{}:
			default: // it is known
			}
		}))
		c := wsDial(ctx, t)
		c.send(wsFrame{op: wsText, payload: "end"})
		c.ends(ctx)
		c = wsDial(ctx, t)
		c.send(wsFrame{op: wsText, payload: "stay"})
		_ = c.Close() // nothing is left to be read
		select {
		case <-gone:
		case <-time.After(raw.Patience):
			t.Check(false, "the client has gone, and the backend's connection is still open after %s", raw.Patience)
		}
	},
}
