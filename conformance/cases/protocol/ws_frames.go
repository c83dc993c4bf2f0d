package protocol

import (
	"context"
	"fmt"

	"github.com/unilb/unilb/conformance/cases/raw"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that loses what was read ahead of the switch, or what it buffers.
var wsFrames = spec.Case{
	ID: "WS-FRAMES", Level: spec.Must, Needs: []spec.Feature{spec.WebSocket},
	Title: "Messages pass in both directions in their order, also one that the backend sends together with its 101.",
	Refs:  []string{"RFC 6455 5"},
	After: []string{"WS-UPGRADE"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "enable_websocket": true, "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: func(ctx context.Context, t *spec.T) {
		raw.Play(t, 0, func(b *raw.Backend, r raw.Request) raw.Answer {
			a := wsServer(nil)(b, r)
			a.Bytes += string(wsFrame{op: wsText, payload: "welcome"}.encode())
			return a
		})
		c := wsDial(ctx, t)
		c.gets(wsFrame{op: wsText, payload: "welcome"})
		for i := range 50 {
			f := wsFrame{op: byte(wsText + i%2), payload: fmt.Sprintf("message %d", i)}
			c.send(f)
			c.gets(f)
		}
		for i := range 20 { // without waiting
			c.send(wsFrame{op: wsText, payload: fmt.Sprint(i)})
		}
		for i := range 20 {
			c.gets(wsFrame{op: wsText, payload: fmt.Sprint(i)})
		}
	},
}
