package protocol

import (
	"context"
	"io"
	"net"

	"github.com/unilb/unilb/conformance/cases/raw"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that answers pings itself, so that nobody notices a dead backend,
// or drops them.
var wsPingPong = spec.Case{
	ID: "WS-PING-PONG", Level: spec.Must, Needs: []spec.Feature{spec.WebSocket},
	Title: "Pings and pongs pass in both directions as they are.",
	Refs:  []string{"RFC 6455 5.5.2", "RFC 6455 5.5.3"},
	After: []string{"WS-UPGRADE"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "enable_websocket": true, "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: func(ctx context.Context, t *spec.T) {
		raw.Play(t, 0, wsServer(func(c net.Conn, r io.Reader) {
			if _, err := c.Write(wsFrame{op: wsPing, payload: "are you there"}.encode()); err != nil {
				return // the client misses it
			}
			f, err := readFrame(r)
			if err != nil || f.op != wsPong || f.payload != "are you there" {
				return
			}
			wsEcho(c, r)
		}))
		c := wsDial(ctx, t)
		c.gets(wsFrame{op: wsPing, payload: "are you there"})
		c.send(wsFrame{op: wsPong, payload: "are you there"})
		for range 3 {
			c.send(wsFrame{op: wsPing, payload: "and you"})
			c.gets(wsFrame{op: wsPong, payload: "and you"})
		}
	},
}
