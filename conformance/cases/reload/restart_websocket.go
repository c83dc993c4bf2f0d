package reload

import (
	"context"
	"fmt"
	"time"

	"github.com/unilb/unilb/conformance/cases/raw"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/echo"
)

// Catches a gateway that replaces its binary at the cost of everybody's chats and
// terminals.
var restartWebSocket = spec.Case{
	ID: "RESTART-WEBSOCKET", Level: spec.Must, Needs: []spec.Feature{spec.GatewayRestart, spec.WebSocket}, Env: []spec.Capability{spec.Control},
	Title: "An upgraded connection that stands when a new process takes over from a gateway carries bytes both ways as before, while new connections are served and upgraded.",
	Refs:  []string{"nginx control: upgrading an executable on the fly", "RFC 6455 7.1"},
	After: []string{"WS-UPGRADE"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "enable_websocket": true, "upstream": {"type": "roundrobin", "nodes": {"{{index .Played 0}}": 1}}}
`,
	Played:  1,
	Timeout: time.Minute,
	Run: func(ctx context.Context, t *spec.T) {
		raw.Play(t, 0, returning)
		gw := drained(t)
		old := upgraded(ctx, t, gw, "before")
		returned(t, old, "before a new process takes over")
		replace(ctx, t, gw)
		for i := range 3 {
			returned(t, old, fmt.Sprintf("after a new process took over, frame %d", i+1))
			r := raw.Dial(ctx, t, gw.Data).Do(ctx, "GET /new HTTP/1.1\r\nHost: "+t.Host()+"\r\n"+echo.HeaderOpID+": "+raw.OpMark+"\r\nConnection: close\r\n\r\n")
			t.Check(r.Mine() && string(r.Reply.Body) == "/new", "%s: a new connection beside an upgraded one: got %s, want 200 from the backend (op %s)", gw.Ref, r, r.Op.ID)
		}
		returned(t, upgraded(ctx, t, gw, "after"), "upgraded by the new process")
		returned(t, old, "at the end")
	},
}

// upgraded is a new connection that the backend upgrades.
func upgraded(ctx context.Context, t *spec.T, gw spec.Gateway, when string) *raw.Conn {
	c := raw.Dial(ctx, t, gw.Data)
	r := c.Do(ctx, "GET /ws HTTP/1.1\r\nHost: "+t.Host()+"\r\n"+echo.HeaderOpID+": "+raw.OpMark+"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	if !r.Mine() || r.Reply.Status != 101 {
		t.Fatalf("%s: the upgrade: got %s, want 101 from the backend (op %s)", when, r, r.Op.ID)
	}
	return c
}
