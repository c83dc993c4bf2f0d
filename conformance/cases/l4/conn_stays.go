package l4

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/site"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches an L4 layer that computes the gateway of every packet anew: each
// gateway that is added cuts some of the connections to all others.
var connStays = spec.Case{
	ID: "L4-CONN-STAYS", Level: spec.Must, Needs: []spec.Feature{spec.L4Spread}, Env: faulty,
	Title:   "A connection stays with its gateway for all its life, also when another gateway leaves and when it comes back.",
	Refs:    []string{"docs/wire.md 4: l4lb, connection table"},
	After:   []string{"L4-SPREAD"},
	Timeout: caseTime,
	Run: func(ctx context.Context, t *spec.T) {
		const each = 12 // of every client: about as many as one gateway in four would cut for certain
		lb, _ := site.Servers(ctx, t, 2)
		leaves := site.Refs(t)[0]
		t.Step("%s leaves", leaves)
		back := drain(ctx, t, lb, leaves)
		all := keep(ctx, t, lb, each)
		t.Logf("connections by gateway: %s", count(all))
		for _, k := range all {
			t.Check(k.at != leaves, "a connection was opened to %s, which has left", leaves)
		}
		goOn(ctx, t, lb, all, "while a gateway is away")
		t.Step("%s comes back", leaves)
		back(ctx)
		goOn(ctx, t, lb, all, "after a gateway came back")
		goOn(ctx, t, lb, all, "a moment later")
	},
}
