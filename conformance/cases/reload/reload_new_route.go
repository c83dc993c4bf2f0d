package reload

import (
	"context"
	"fmt"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway on which a new route is known to some of its workers only,
// or to new connections only, or that goes on remembering that there was none.
var reloadNewRoute = spec.Case{
	ID: "RELOAD-NEW-ROUTE", Level: spec.Must, Needs: []spec.Feature{spec.HotConfig},
	Title:    "A new route that is in force is followed by the next request of every kept connection and by every fresh one, on all gateways.",
	Refs:     []string{"APISIX 3.18 config_etcd: a new object is an event", "docs/wire.md 1, applied"},
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		conns := keep(ctx, t, 2, traffic.Request{Host: t.Host(), Target: "/0"}) // there is no route yet
		for i := range 5 {
			target := fmt.Sprintf("/%d", i)
			t.Put(ctx, "routes/"+t.Name(target[1:]), fmt.Sprintf(`{"host":%q,"uri":%q,"upstream":%s}`, t.Host(), target, upstreamOf(t.Backend(0))))
			t.Wait(ctx)
			for _, c := range conns {
				c.served(ctx, t, traffic.Request{Host: t.Host(), Target: target}, t.Backend(0), "kept connection")
			}
			for _, gw := range t.Env().Gateways() {
				fresh := kept{ask.Session(t, gw.Data, traffic.Options{}), gw}
				for range 4 {
					fresh.served(ctx, t, traffic.Request{Host: t.Host(), Target: target}, t.Backend(0), "fresh connection")
				}
			}
		}
	},
}
