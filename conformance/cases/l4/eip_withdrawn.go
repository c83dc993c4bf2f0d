package l4

import (
	"context"
	"sync"
	"time"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/cases/site"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches an L4 layer, or a gateway, that keeps an address after its tenant gave
// it back: the next tenant's clients meet the old one's site, or an error page of
// a provider whose customer they are not.
var eipWithdrawn = spec.Case{
	ID: "L4-EIP-WITHDRAWN", Level: spec.Must, Needs: []spec.Feature{spec.L4Spread}, Env: region,
	Title:   "A public address that was withdrawn, and is said to be, answers no request at all, and serves again when it is published again.",
	Refs:    []string{"docs/wire.md 1: /unilb/l4/vips", "docs/wire.md 3: operations"},
	After:   []string{"L4-SPREAD"},
	Timeout: caseTime,
	Run: func(ctx context.Context, t *spec.T) {
		lb, _ := site.Servers(ctx, t, 2)
		if err := site.TakeTraffic(ctx, t, lb, site.Refs(t)...); err != nil {
			t.Fatalf("%v", err)
		}
		if err := site.Unpublish(ctx, t, lb); err != nil {
			t.Fatalf("%v", err)
		}
		t.Step("withdrawn")
		var asking sync.WaitGroup // there may be nobody to refuse a connection
		for i, s := range site.Fresh(t, lb, "gone", 300*time.Millisecond) {
			for range 8 {
				asking.Go(func() {
					r := s.Do(ctx, traffic.Request{Host: lb.Host})
					t.Check(r.Reply == nil, "%s: got %s from an address that was withdrawn (op %s)", t.Env().Clients()[i].Ref, ask.Said(r), r.Op.ID)
				})
			}
		}
		asking.Wait()
		t.Step("published again")
		site.Publish(ctx, t, lb)
		for i, s := range site.Fresh(t, lb, "again", 0) {
			r := s.Do(ctx, traffic.Request{Host: lb.Host})
			t.Check(site.Through(t, r) != "", "%s: got %s from an address that is published again (op %s)", t.Env().Clients()[i].Ref, ask.Said(r), r.Op.ID)
		}
	},
}
