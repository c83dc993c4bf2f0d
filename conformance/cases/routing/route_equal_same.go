package routing

import (
	"context"
	"fmt"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/traffic"
	"github.com/unilb/unilb/topology"
)

// Catches a gateway that leaves the choice to the order of a map or of
// arrival: a request then goes here or there, by gateway or from edit to edit.
var routeEqualSame = spec.Case{
	ID: "ROUTE-EQUAL-SAME", Level: spec.Must, Needs: []spec.Feature{spec.RoutePriority},
	Title:    "Of two routes alike in everything the same one wins every time, on every gateway, also after an edit of something else.",
	Refs:     []string{"APISIX 3.18 router radixtree_host_uri, equal routes in order of insertion"},
	After:    []string{"ROUTE-PRIORITY"},
	Backends: 2,
	Run: func(ctx context.Context, t *spec.T) {
		for i := range equalPairs {
			t.Put(ctx, fmt.Sprintf("routes/%s-%d-a", t.ID(), i), t.Render(fmt.Sprintf(equalRoute, i, 0)))
			t.Put(ctx, fmt.Sprintf("routes/%s-%d-b", t.ID(), i), t.Render(fmt.Sprintf(equalRoute, i, 1)))
		}
		t.Wait(ctx)
		// A coin for each pair at each edit would fall alike once in 2^12 runs, on
		// four gateways once in 2^54; a coin for each request far more rarely.
		won := map[string]topology.Ref{}
		sameWinners(ctx, t, won)
		t.Step("another route comes")
		t.Put(ctx, "routes/"+t.Name("other"), t.Render(fmt.Sprintf(equalRoute, equalPairs, 0)))
		t.Wait(ctx)
		sameWinners(ctx, t, won)
		t.Step("and goes")
		t.Delete(ctx, "routes/"+t.Name("other"))
		t.Wait(ctx)
		sameWinners(ctx, t, won)
	},
}

// equalPairs is how many pairs of equal routes there are.
const equalPairs = 6

// equalRoute is one of a pair, to be filled with the number of the pair and a
// backend.
const equalRoute = `{"host": "{{.Host}}", "uri": "/pair/%d", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends %d}}": 1}}}`

// sameWinners asks every gateway for every pair, several times, and compares
// with who won before.
func sameWinners(ctx context.Context, t *spec.T, won map[string]topology.Ref) {
	for _, gw := range t.Env().Gateways() {
		s := ask.Session(t, gw.Data, traffic.Options{Conns: traffic.ConnPolicy{Keep: 1}})
		for n := range 3 * equalPairs {
			path := fmt.Sprintf("/pair/%d", n%equalPairs)
			r := s.Do(ctx, traffic.Request{Host: t.Host(), Target: path})
			got := r.Backend()
			if !t.Check(got != "", "%s: %s: got %s, want one of the backends", gw.Ref, path, ask.Said(r)) {
				continue
			}
			if before, ok := won[path]; !ok {
				won[path] = got
			} else {
				t.Check(got == before, "%s: %s: got %s, want %s, who had won before (op %s)", gw.Ref, path, got, before, r.Op.ID)
			}
		}
	}
}
