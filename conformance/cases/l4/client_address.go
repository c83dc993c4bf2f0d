package l4

import (
	"context"
	"slices"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/cases/site"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/traffic"
	"github.com/unilb/unilb/topology"
)

// Catches an L4 layer that hides clients behind addresses of its own: access
// lists, rate limits and logs of every tenant are worth nothing then.
var clientAddress = spec.Case{
	ID: "L4-CLIENT-ADDRESS", Level: spec.Must, Needs: []spec.Feature{spec.L4Spread}, Env: region,
	Title:   "A server behind a public address learns each client's own address in X-Forwarded-For, through whichever gateway the connection came.",
	Refs:    []string{"docs/wire.md 5"},
	After:   []string{"L4-SPREAD"},
	Timeout: caseTime,
	Run: func(ctx context.Context, t *spec.T) {
		lb, _ := site.Servers(ctx, t, 2)
		gateways := site.Refs(t)
		for i, s := range site.Fresh(t, lb, "addr", 0) {
			met := map[topology.Ref]bool{}
			// As many connections as L4-SPREAD needs to meet all of them.
			for n := 0; n < 30*len(gateways) && len(met) < len(gateways); n++ {
				r := s.Do(ctx, traffic.Request{Host: lb.Host})
				a, want := ask.Seen(t, r), ask.ClientAddr(t, r)
				met[site.Through(t, r)] = true
				t.Check(slices.Equal(a.Values("X-Forwarded-For"), []string{want}), "%s through %s: the server saw X-Forwarded-For %q, want %q (op %s)",
					t.Env().Clients()[i].Ref, site.Through(t, r), a.Values("X-Forwarded-For"), want, r.Op.ID)
			}
			t.Check(len(met) >= len(gateways), "%s met %d of %d gateways", t.Env().Clients()[i].Ref, len(met), len(gateways))
		}
	},
}
