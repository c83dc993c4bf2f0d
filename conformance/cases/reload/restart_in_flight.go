package reload

import (
	"context"
	"fmt"
	"time"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/echo"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway whose old process ends when the new one serves, with requests in
// flight.
var restartInFlight = spec.Case{
	ID: "RESTART-IN-FLIGHT", Level: spec.Must, Needs: []spec.Feature{spec.GatewayRestart}, Env: []spec.Capability{spec.Control},
	Title:    "A slow request, and an upload and a download of which half has passed when a new process takes over from a gateway, come whole, once, while new connections are served.",
	Refs:     []string{"nginx control: upgrading an executable on the fly"},
	Backends: 1,
	Timeout:  time.Minute,
	Run: func(ctx context.Context, t *spec.T) {
		g := ask.NewGate(ctx, t)
		t.Put(ctx, "routes/"+t.Name("slow"), fmt.Sprintf(`{"host":%q,"uris":["/slow","/half","/upload"],"upstream":%s}`, t.Host(), upstreamOf(g.Backend)))
		t.Put(ctx, "routes/"+t.Name("fast"), fmt.Sprintf(`{"host":%q,"uri":"/","upstream":%s}`, t.Host(), upstreamOf(t.Backend(0))))
		t.Wait(ctx)
		gw, first := drained(t), traffic.Request{Host: t.Host()}
		hs := ask.Hold(ctx, t, g, first, traffic.Request{Method: "POST", Host: t.Host(), Target: "/slow", Body: echo.Pattern(100)}, gw)
		hs = append(hs, ask.Hold(ctx, t, g, first, traffic.Request{Host: t.Host(), Target: "/half"}, gw)...)
		up, more := ask.HoldUpload(ctx, t, g, first, traffic.Request{Method: "POST", Host: t.Host(), Target: "/upload", Body: echo.Pattern(256 << 10)}, gw)
		defer more()
		replace(ctx, t, gw)
		serves(ctx, t, gw, first, t.Backend(0), "after a new process took over")
		more()
		g.Finish(ctx, t, append(hs, up), "while a new process takes over")
	},
}
