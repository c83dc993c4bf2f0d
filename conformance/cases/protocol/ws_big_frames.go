package protocol

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/raw"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/echo"
)

// Catches a gateway that buffers whole frames and has no room for large ones.
var wsBigFrames = spec.Case{
	ID: "WS-BIG-FRAMES", Level: spec.Must, Needs: []spec.Feature{spec.WebSocket},
	Title: "Frames of a mebibyte pass in both directions unchanged.",
	Refs:  []string{"RFC 6455 5.2"},
	After: []string{"WS-UPGRADE"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "enable_websocket": true, "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played: 1,
	Run: func(ctx context.Context, t *spec.T) {
		raw.Play(t, 0, wsServer(nil))
		c := wsDial(ctx, t)
		for _, n := range []int{125, 126, 65_535, 65_536, 1 << 20} {
			f := wsFrame{op: wsBinary, payload: string(echo.Pattern(n))}
			c.send(f)
			c.gets(f)
		}
	},
}
