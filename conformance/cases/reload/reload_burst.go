package reload

import (
	"context"
	"fmt"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that loses edits when many come at once, or applies those of
// one object in another order than they were made.
var reloadBurst = spec.Case{
	ID: "RELOAD-BURST", Level: spec.Must, Needs: []spec.Feature{spec.HotConfig},
	Title:    "After 120 edits of 50 routes in one burst, deletes among them, every route serves what it was edited to last.",
	Refs:     []string{"APISIX 3.18 config_etcd: events are applied in order", "docs/wire.md 1, applied"},
	Backends: 2,
	Run: func(ctx context.Context, t *spec.T) {
		const n = 50
		put := func(i, b int) {
			t.Put(ctx, "routes/"+t.Name(fmt.Sprint(i)), fmt.Sprintf(`{"host":%q,"uri":"/%d","upstream":%s}`, t.Host(), i, upstreamOf(t.Backend(b))))
		}
		var asks []ask.Expect
		for i := range n {
			put(i, 0)
			put(i, 1)
			e := ask.Expect{Host: t.Host(), Target: fmt.Sprintf("/%d", i), Want: 1, Why: "written twice"}
			switch i % 5 {
			case 3:
				t.Delete(ctx, "routes/"+t.Name(fmt.Sprint(i)))
				e.Want, e.Why = ask.None, "written twice and deleted"
			case 4:
				put(i, 0)
				e.Want, e.Why = 0, "written three times"
			}
			asks = append(asks, e)
		}
		t.Wait(ctx)
		ask.Route(ctx, t, asks...)
	},
}
