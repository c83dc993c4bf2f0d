package traffic

import (
	"context"
	"net/netip"

	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/check"
	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/traffic"
	"github.com/unilb/unilb/topology"
)

// Catches a gateway with room for so many targets and no more, which forgets the
// rest in silence.
var lbMany = spec.Case{
	ID: "LB-MANY", Level: spec.Must, Needs: []spec.Feature{spec.UpstreamWeights},
	Title:    "Each of 40 targets gets its share of 400 requests (chi-square, alpha 1e-6).",
	Refs:     []string{"APISIX 3.18 upstream.nodes"},
	After:    []string{"LB-WEIGHTED"},
	Backends: 40,
	Run: func(ctx context.Context, t *spec.T) {
		var targets []netip.AddrPort
		weights := map[topology.Ref]int{}
		for i := range 40 {
			targets, weights[t.Backend(i).Ref] = append(targets, t.Backend(i).Addr), 1
		}
		routeTo(ctx, t, "", targets...)
		h, s := &history.History{}, one(t)
		for range 400 {
			h.Ops = append(h.Ops, s.Do(ctx, traffic.Request{Host: t.Host()}).Op)
		}
		t.Verdicts(check.Weighted(weightAlpha, weights).Check(h, check.Facts{}))
	},
}
