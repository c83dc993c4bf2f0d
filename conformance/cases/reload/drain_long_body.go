package reload

import (
	"context"
	"fmt"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/echo"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway that counts a request as done when its head has been answered,
// or as not begun while its body still comes: uploads and downloads are what takes
// long, and what a drain cuts.
var drainLongBody = spec.Case{
	ID: "DRAIN-LONG-BODY", Level: spec.Must, Needs: []spec.Feature{spec.GatewayDrain}, Env: []spec.Capability{spec.Control},
	Title:   "An upload and a download of which half has passed when a gateway drains come whole.",
	Refs:    []string{"nginx control: QUIT is a graceful shutdown, which APISIX 3.18 stops by"},
	After:   []string{"DRAIN-IN-FLIGHT"},
	Timeout: restartBound,
	Run: func(ctx context.Context, t *spec.T) {
		g := ask.NewGate(ctx, t)
		t.Put(ctx, "routes/"+t.ID(), fmt.Sprintf(`{"host":%q,"uris":["/half","/upload"],"upstream":%s}`, t.Host(), upstreamOf(g.Backend)))
		t.Wait(ctx)
		gw, first := drained(t), traffic.Request{Host: t.Host(), Target: "/none"}
		hs := ask.Hold(ctx, t, g, first, traffic.Request{Host: t.Host(), Target: "/half"}, gw)
		up, more := ask.HoldUpload(ctx, t, g, first, traffic.Request{Method: "POST", Host: t.Host(), Target: "/upload", Body: echo.Pattern(256 << 10)}, gw)
		d := drain(ctx, t, gw, g.Open, more)
		defer d.restart(t)
		d.shut(ctx, t)
		t.Check(!d.over(), "%s has ended with half of two bodies passed", gw.Ref)
		more()
		g.Finish(ctx, t, append(hs, up), "while the gateway drains")
		d.finish(t)
	},
}
