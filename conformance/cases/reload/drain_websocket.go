package reload

import (
	"context"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/unilb/unilb/conformance/cases/raw"
	"github.com/unilb/unilb/conformance/spec"
)

// frame is a text of a WebSocket, masked by nothing, which its server returns as it is.
const frame = "\x81\x84\x00\x00\x00\x00ping"

// Catches a gateway for which an upgraded connection is no request: a drain cuts the
// chats, terminals and notebooks of everybody.
var drainWebSocket = spec.Case{
	ID: "DRAIN-WEBSOCKET", Level: spec.Must, Needs: []spec.Feature{spec.GatewayDrain, spec.WebSocket}, Env: []spec.Capability{spec.Control},
	Title: "An upgraded connection that stands when a gateway drains carries bytes both ways until it ends by itself, and the gateway ends then.",
	Refs:  []string{"nginx control: QUIT is a graceful shutdown, which APISIX 3.18 stops by", "RFC 6455 7.1"},
	After: []string{"DRAIN-IN-FLIGHT", "WS-UPGRADE"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "enable_websocket": true, "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played:  1,
	Timeout: restartBound,
	Run: func(ctx context.Context, t *spec.T) {
		raw.Play(t, 0, returning)
		gw := drained(t)
		c := upgraded(ctx, t, gw, "before the drain")
		returned(t, c, "before the drain")
		d := drain(ctx, t, gw, func() { _ = c.Close() }) // the case may have closed it
		defer d.restart(t)
		d.shut(ctx, t)
		for i := range 3 {
			returned(t, c, fmt.Sprintf("while the gateway drains, frame %d", i+1))
		}
		t.Check(!d.over(), "%s has ended while an upgraded connection stands", gw.Ref)
		_ = c.Close() // nothing is expected of it any more
		d.finish(t)
	},
}

// returning upgrades every connection, and returns what comes over it.
func returning(b *raw.Backend, r raw.Request) raw.Answer {
	if r.Fields.Get("Upgrade") != "websocket" {
		return b.Echo(r)
	}
	return raw.Answer{
		Bytes: b.Head(r, 101, "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
		Then: func(c net.Conn, rest []byte) {
			_, _ = c.Write(rest)
			_, _ = io.Copy(c, c) // until the client has gone
		},
	}
}

// returned sends a frame and wants it back.
func returned(t *spec.T, c *raw.Conn, when string) {
	if err := c.Write(frame); err != nil {
		t.Fatalf("%s: send a frame: %v", when, err)
	}
	_ = c.SetReadDeadline(time.Now().Add(raw.Patience)) // fails only where reading fails
	got := make([]byte, len(frame))
	if _, err := io.ReadFull(c.Buffered(), got); err != nil || string(got) != frame {
		t.Fatalf("%s: got %q and %v, want the frame back", when, got, err)
	}
}
