package traffic

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/echo"
)

// Catches a gateway that waits without a limit for a target to take a body: uploads
// to a stuck target hold connections, and memory, for ever.
var timeoutSend = spec.Case{
	ID: "TIME-SEND", Level: spec.Should, Needs: []spec.Feature{spec.ProxyTimeouts},
	Title: "A target that takes no more of an upload for longer than timeout.send makes a 504 of the gateway, although the client has not sent all.",
	Refs:  []string{"APISIX 3.18 upstream.timeout.send", "RFC 9110 15.6.5"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "retries": 0, "nodes": {"{{index .Backends 0}}": 1}, "timeout": {"connect": 5, "send": 1, "read": 60}}}
`,
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		const size = 24 << 20 // more than the buffers on the way hold
		began := time.Now()
		w := begin(ctx, t, http.MethodPost, echo.HeaderUnread+": 1", echo.HeaderHang+": 1", "Content-Length: "+strconv.Itoa(size))
		uploaded := make(chan struct{})
		go func() {
			defer close(uploaded)
			w.send(string(echo.Pattern(size))) // ends at the latest when the wire is closed below
		}()
		defer func() { _ = w.Close(); <-uploaded }()
		status, fields := w.answer()
		took := time.Since(began)
		t.Check(status == http.StatusGatewayTimeout && fields.Get(echo.HeaderBackend) == "", "got %d of %q, want the gateway's 504 (op %s)", status, fields.Get(echo.HeaderBackend), w.op.ID)
		t.Check(took > shortLimit*9/10 && took < 2*lateBound, "took %s, want %s to %s (op %s)", took, shortLimit, 2*lateBound, w.op.ID)
	},
}
