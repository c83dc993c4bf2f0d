package traffic

import (
	"context"
	"net/http"
	"sync"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/echo"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway that knows time limits of upstreams only: the one slow report
// of an application forces its limit on all of it.
var timeoutRoute = spec.Case{
	ID: "TIME-ROUTE", Level: spec.Must, Needs: []spec.Feature{spec.ProxyTimeouts},
	Title: "A route's own timeout takes the place of its upstream's, whether it is longer or shorter.",
	Refs:  []string{"APISIX 3.18 route.timeout"},
	Objects: `
-- upstreams/{{.ID}} --
{"type": "roundrobin", "retries": 0, "nodes": {"{{index .Backends 0}}": 1}, "timeout": {"connect": 5, "send": 5, "read": 1}}
-- upstreams/{{.ID}}-slow --
{"type": "roundrobin", "retries": 0, "nodes": {"{{index .Backends 0}}": 1}, "timeout": {"connect": 5, "send": 5, "read": 60}}
-- routes/{{.ID}}-longer --
{"host": "{{.Host}}", "uri": "/longer", "upstream_id": "{{.ID}}", "timeout": {"connect": 5, "send": 5, "read": 8}}
-- routes/{{.ID}}-shorter --
{"host": "{{.Host}}", "uri": "/shorter", "upstream_id": "{{.ID}}-slow", "timeout": {"connect": 5, "send": 5, "read": 1}}
`,
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		var running sync.WaitGroup
		long, short := one(t), one(t)
		running.Go(func() {
			r := long.Do(ctx, traffic.Request{Host: t.Host(), Target: "/longer"}.With(echo.HeaderDelay, "1500ms"))
			t.Check(r.Backend() == t.Backend(0).Ref && r.Reply.Status == http.StatusOK, "upstream 1 s, route 8 s, answer after 1.5 s: got %s, want 200 from the backend (op %s)", ask.Said(r), r.Op.ID)
		})
		running.Go(func() {
			r := short.Do(ctx, traffic.Request{Host: t.Host(), Target: "/shorter"}.With(echo.HeaderHang, "1"))
			t.Check(own(r, http.StatusGatewayTimeout) && r.Op.Latency() < lateBound, "upstream 60 s, route 1 s, no answer: got %s after %s, want the gateway's 504 (op %s)", ask.Said(r), r.Op.Latency(), r.Op.ID)
		})
		running.Wait()
	},
}
