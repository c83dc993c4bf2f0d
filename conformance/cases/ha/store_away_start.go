package ha

import (
	"context"
	"time"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/cases/site"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/fault"
	"github.com/unilb/unilb/sim/traffic"
	"github.com/unilb/unilb/topology"
)

// kept is half of how long a configuration must have been in force for a gateway to have
// it when it starts: one need not write at each change.
const kept = 7 * time.Second

// Catches a gateway that needs its store to start: a machine that restarts, or an update,
// during an outage of the store takes sites away that were served well before.
var storeAwayStart = spec.Case{
	ID: "HA-STORE-AWAY-START", Level: spec.Must, Needs: []spec.Feature{spec.HALastGood}, Env: faulty,
	Title:   "A gateway that is killed and started again while every member of the store is dead serves what was in force, and takes in what is edited once the store is back.",
	Refs:    []string{"docs/wire.md 4: the last good configuration", "docs/faults.md: kill"},
	After:   []string{"HA-STORE-KILLED"},
	Timeout: 2 * caseTime,
	Run: func(ctx context.Context, t *spec.T) {
		lb, servers := site.Servers(ctx, t, 2)
		store, _ := members(t)
		e := newEditor(t)
		e.succeeds(ctx, t, t.Env().Admin(), servers[0], "before")
		load := site.Load(ctx, t, lb, "load", traffic.PerSecond(60), site.GivingUpAfter(5*time.Second))
		for range 2 {
			site.Steady(ctx, t, load, kept)
		}
		mend := site.Break(ctx, t, lb, fault.Kill{On: store, Process: topology.ProcEtcd})

		g := t.Env().Gateways()[0]
		start, err := t.Env().Inject(ctx, fault.Kill{On: topology.Selector(g.Ref), Process: topology.ProcGateway})
		if err != nil {
			t.Brokenf("kill %s: %v", g.Ref, err)
		}
		t.Cleanup(start)
		began := time.Now()
		err = start(ctx)
		t.Check(err == nil, "%s does not start while the store is away: %v", g.Ref, err)
		if err == nil {
			t.Logf("%s starts without a store within %s", g.Ref, time.Since(began).Round(time.Millisecond))
			r := ask.Session(t, g.Data, traffic.Options{}).Do(ctx, traffic.Request{Host: "edited." + t.Host()})
			t.Check(r.Backend() == servers[0].Ref, "%s without a store: got %s, want %s, to which the last edit points (op %s)", g.Ref, ask.Said(r), servers[0].Ref, r.Op.ID)
			site.Steady(ctx, t, load, time.Second)
		}

		mend(ctx)
		e.succeeds(ctx, t, t.Env().Admin(), servers[1], "after the store is back")
	},
}
