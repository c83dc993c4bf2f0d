package traffic

import (
	"context"
	"net/netip"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway that ignores priorities: a stand-by in another city serves every
// third user while those at hand are well.
var priorityHigher = spec.Case{
	ID: "PRIO-HIGHER", Level: spec.Must, Needs: []spec.Feature{spec.UpstreamPriority},
	Title:    "While targets of a higher priority are well they share all requests, and those of a lower one get none.",
	Refs:     []string{"APISIX 3.18 upstream.nodes.priority"},
	Backends: 3,
	Run: func(ctx context.Context, t *spec.T) {
		a, b, spare := t.Backend(0), t.Backend(1), t.Backend(2)
		routeRanked(ctx, t, ranked{0, []netip.AddrPort{a.Addr, b.Addr}}, ranked{-1, []netip.AddrPort{spare.Addr}})
		for _, gw := range t.Env().Gateways() {
			s := ask.Session(t, gw.Data, traffic.Options{Conns: traffic.ConnPolicy{Keep: 1}})
			n := count(picks(ctx, t, s, 30, traffic.Request{Host: t.Host()}))
			t.Check(n[spare.Ref] == 0 && n[a.Ref] > 0 && n[b.Ref] > 0, "%s: got %v, want some for %s and %s, none for %s", gw.Ref, n, a.Ref, b.Ref, spare.Ref)
		}
	},
}
