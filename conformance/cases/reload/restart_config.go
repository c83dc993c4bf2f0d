package reload

import (
	"context"
	"time"

	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway whose new process takes over before it has read its configuration,
// or with that of the old one's start.
var restartConfig = spec.Case{
	ID: "RESTART-CONFIG", Level: spec.Must, Needs: []spec.Feature{spec.GatewayRestart}, Env: []spec.Capability{spec.Control},
	Title: "What was in force before a new process took over from a gateway is served by every connection while it does and after it, and what is edited then comes into force.",
	Refs:  []string{"APISIX 3.18 init_worker: configuration is read before the workers accept", "docs/wire.md 1, applied"},
	Objects: `
-- upstreams/{{.ID}} --
{"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream_id": "{{.ID}}"}
`,
	Backends: 2,
	Timeout:  time.Minute,
	Run: func(ctx context.Context, t *spec.T) {
		gw, r := drained(t), traffic.Request{Host: t.Host(), Target: "/late"}
		for i := 1; i <= 2; i++ {
			want := t.Backend(i % 2)
			t.Put(ctx, "upstreams/"+t.ID(), upstreamOf(want))
			t.Wait(ctx)
			asking, stop := context.WithCancel(ctx)
			answers := make(chan []traffic.Result, 1)
			go func() { answers <- askOn(asking, t, gw) }()
			replace(ctx, t, gw)
			serves(ctx, t, gw, r, want, "after a new process took over")
			stop()
			all := <-answers
			for _, a := range all {
				t.Check(a.Backend() == want.Ref && a.Reply.Status == 200, "%s: an answer while a new process takes over: got %d from %q, want 200 from %s (op %s)", gw.Ref, a.Reply.Status, a.Backend(), want.Ref, a.Op.ID)
			}
			if len(all) == 0 {
				t.Undecided("nobody was answered while a new process took over")
			}
		}
	},
}
