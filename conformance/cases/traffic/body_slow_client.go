package traffic

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/echo"
)

// Catches a gateway that gives up a client who does not read for a moment, or that
// loses what does not fit into its buffers meanwhile.
var bodySlowClient = spec.Case{
	ID: "BODY-SLOW-CLIENT", Level: spec.Must, Needs: []spec.Feature{spec.ProxyBodies},
	Title:    "A client that stops reading for 400 ms in the middle of 12 MiB gets every byte of them.",
	Refs:     []string{"RFC 9112 6.3", "APISIX 3.18 send_timeout (10 s)"},
	Objects:  oneTarget,
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		const size = 12 << 20 // more than the buffers on the way hold
		w := begin(ctx, t, http.MethodGet, echo.HeaderSize+": "+strconv.Itoa(size))
		if c, ok := w.Conn.(interface{ SetReadBuffer(int) error }); ok {
			_ = c.SetReadBuffer(32 << 10) // with larger ones less waits in the gateway
		}
		status, fields := w.answer()
		if status != http.StatusOK {
			t.Fatalf("got %d, want 200 (op %s)", status, w.op.ID)
		}
		pause := time.NewTimer(400 * time.Millisecond)
		defer pause.Stop()
		select {
		case <-pause.C:
		case <-ctx.Done():
		}
		if err := expect(w.body(fields), string(echo.Pattern(size))); err != nil {
			t.Check(false, "after the pause: %.300s (op %s)", err, w.op.ID)
		}
	},
}
