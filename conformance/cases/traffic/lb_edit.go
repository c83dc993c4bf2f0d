package traffic

import (
	"context"
	"fmt"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/check"
	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/traffic"
	"github.com/unilb/unilb/topology"
)

// Catches a gateway that makes its round once and goes on with it when weights
// change: an operator takes load off a target and nothing happens.
var lbEdit = spec.Case{
	ID: "LB-EDIT", Level: spec.Must, Needs: []spec.Feature{spec.UpstreamWeights, spec.HotConfig},
	Title: "After weights of 4:1 become 1:4 requests spread as 1:4 (chi-square, alpha 1e-6), on connections that were there before too.",
	Refs:  []string{"APISIX 3.18 upstream type roundrobin", "APISIX 3.18 hot reload"},
	After: []string{"LB-WEIGHTED"},
	Objects: `
-- upstreams/{{.ID}} --
{"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 4, "{{index .Backends 1}}": 1}}
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream_id": "{{.ID}}"}
`,
	Backends: 2,
	Run: func(ctx context.Context, t *spec.T) {
		sessions := map[topology.Ref]*traffic.Session{}
		for _, gw := range t.Env().Gateways() {
			sessions[gw.Ref] = ask.Session(t, gw.Data, traffic.Options{Conns: traffic.ConnPolicy{Keep: 1}})
			picks(ctx, t, sessions[gw.Ref], 20, traffic.Request{Host: t.Host()})
		}
		t.Put(ctx, "upstreams/"+t.ID(), fmt.Sprintf(`{"type": "roundrobin", "nodes": {%q: 1, %q: 4}}`, t.Backend(0).Addr, t.Backend(1).Addr))
		t.Wait(ctx)
		weights := map[topology.Ref]int{t.Backend(0).Ref: 1, t.Backend(1).Ref: 4}
		for _, gw := range t.Env().Gateways() {
			h := &history.History{}
			for range 150 {
				h.Ops = append(h.Ops, sessions[gw.Ref].Do(ctx, traffic.Request{Host: t.Host()}).Op)
			}
			t.Logf("%s", gw.Ref)
			t.Verdicts(check.Weighted(weightAlpha, weights).Check(h, check.Facts{}))
		}
	},
}
