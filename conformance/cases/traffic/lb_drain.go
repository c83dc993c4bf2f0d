package traffic

import (
	"context"
	"fmt"
	"net/http"
	"sync"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/echo"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway that goes on sending to a target of weight 0 over connections
// it has, and one that cuts what is under way there: neither lets an operator take
// a server out quietly.
var lbDrain = spec.Case{
	ID: "LB-DRAIN", Level: spec.Must, Needs: []spec.Feature{spec.UpstreamWeights, spec.HotConfig},
	Title: "A target whose weight becomes 0 finishes the requests that it has and gets no new one.",
	Refs:  []string{"APISIX 3.18 upstream.nodes, weight 0", "APISIX 3.18 hot reload"},
	After: []string{"LB-WEIGHTED"},
	Objects: `
-- upstreams/{{.ID}} --
{"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1, "{{index .Backends 1}}": 1}}
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream_id": "{{.ID}}"}
`,
	Backends: 2,
	Run: func(ctx context.Context, t *spec.T) {
		leaving, staying := t.Backend(0), t.Backend(1)
		var running sync.WaitGroup
		for range 4 {
			s := one(t)
			running.Go(func() {
				r := s.Do(ctx, traffic.Request{Host: t.Host()}.With(echo.HeaderDelay, "1s"))
				t.Check(r.Backend() != "" && r.Reply.Status == http.StatusOK, "under way during the edit: got %s, want 200 from a target (op %s)", ask.Said(r), r.Op.ID)
			})
		}
		ask.Until(ctx, t, "four slow requests are under way", 1, func() bool { return leaving.Server.Requests()+staying.Server.Requests() >= 4 })
		t.Put(ctx, "upstreams/"+t.ID(), fmt.Sprintf(`{"type": "roundrobin", "nodes": {%q: 0, %q: 1}}`, leaving.Addr, staying.Addr))
		t.Wait(ctx)
		before := leaving.Server.Requests()
		for _, gw := range t.Env().Gateways() {
			s := ask.Session(t, gw.Data, traffic.Options{Conns: traffic.ConnPolicy{Keep: 2}})
			n := count(picks(ctx, t, s, 20, traffic.Request{Host: t.Host()}))[leaving.Ref]
			t.Check(n == 0, "%s: %d of 20 requests went to the target of weight 0", gw.Ref, n)
		}
		running.Wait()
		t.Check(leaving.Server.Requests() == before, "%d requests arrived at the target of weight 0", leaving.Server.Requests()-before)
	},
}
