package l4

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/cases/site"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/traffic"
	"github.com/unilb/unilb/topology"
)

// Catches an L4 layer, or a gateway, that leaves some of the gateways without
// work: the others carry it, until one of them fails and nobody has room.
var spread = spec.Case{
	ID: "L4-SPREAD", Level: spec.Must, Needs: []spec.Feature{spec.L4Spread}, Env: region,
	Title:   "Connections to a public address spread over all gateways: of 30 for each gateway, every one gets some.",
	Refs:    []string{"docs/wire.md 5"},
	Timeout: caseTime,
	Run: func(ctx context.Context, t *spec.T) {
		// A gateway that has its fair share of independent connections gets none of
		// n*k with probability (1-1/n)^(n*k), and one of n does with less than
		// n*e^-k: for k=30 and 4 gateways that is 4e-13.
		const k = 30
		lb, _ := site.Servers(ctx, t, 2)
		gateways := t.Env().Gateways()
		sessions := site.Fresh(t, lb, "spread", 0)
		got := map[topology.Ref]int{}
		for i := range k * len(gateways) {
			r := sessions[i%len(sessions)].Do(ctx, traffic.Request{Host: lb.Host})
			if g := site.Through(t, r); t.Check(g != "", "%s: got %s through no gateway (op %s)", lb.Name, ask.Said(r), r.Op.ID) {
				got[g]++
			}
		}
		t.Logf("connections by gateway: %v", got)
		for _, g := range gateways {
			t.Check(got[g.Ref] > 0, "%s got none of %d connections: %v (alpha 4e-13)", g.Ref, k*len(gateways), got)
		}
	},
}
