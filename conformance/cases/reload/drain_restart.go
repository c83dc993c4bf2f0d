package reload

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway that accepts connections before it has read its
// configuration, or that begins with an old one: everything answered 404 for a
// moment after each restart.
var drainRestart = spec.Case{
	ID: "DRAIN-RESTART", Level: spec.Must, Needs: []spec.Feature{spec.GatewayDrain}, Env: []spec.Capability{spec.Control},
	Title: "A gateway that was drained and started again serves the configuration in force from its first answer on.",
	Refs:  []string{"APISIX 3.18 init_worker: configuration is read before the workers accept", "docs/wire.md 1"},
	Objects: `
-- upstreams/{{.ID}} --
{"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream_id": "{{.ID}}"}
`,
	Backends: 2,
	Timeout:  restartBound,
	Run: func(ctx context.Context, t *spec.T) {
		gw, want := drained(t), t.Backend(1)
		t.Put(ctx, "upstreams/"+t.ID(), upstreamOf(want))
		t.Put(ctx, "routes/"+t.Name("late"), fmt.Sprintf(`{"host":%q,"uri":"/late","upstream_id":%q}`, t.Host(), t.ID()))
		t.Wait(ctx)
		d := drain(ctx, t, gw)
		defer d.restart(t)
		<-d.ended
		asking, stop := context.WithCancel(ctx)
		answers := make(chan []traffic.Result, 1)
		go func() { answers <- askOn(asking, t, gw) }()
		d.finish(t)
		s := ask.Session(t, gw.Data, traffic.Options{})
		after := []traffic.Result{s.Do(ctx, traffic.Request{Host: t.Host(), Target: "/late"}), s.Do(ctx, traffic.Request{Host: t.Host()})}
		stop()
		for _, r := range append(<-answers, after...) {
			t.Check(r.Reply != nil && r.Reply.Status == http.StatusOK && r.Backend() == want.Ref,
				"%s: an answer after its restart: got %s, want 200 from %s (op %s)", gw.Ref, ask.Said(r), want.Ref, r.Op.ID)
		}
	},
}

// askOn asks over fresh connections until ctx ends, and returns what was
// answered. A gateway that does not answer yet is none.
func askOn(ctx context.Context, t *spec.T, gw spec.Gateway) []traffic.Result {
	s := ask.Session(t, gw.Data, traffic.Options{})
	tick := time.NewTicker(pace / 4)
	defer tick.Stop()
	var out []traffic.Result
	for {
		if r := s.Do(ctx, traffic.Request{Host: t.Host(), Target: "/late"}); r.Reply != nil {
			out = append(out, r)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return out
		}
	}
}
