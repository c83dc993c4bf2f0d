package reload

import (
	"context"
	"fmt"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway that cuts a download when its upstream is edited or its route
// deleted: half of the body has passed, and nothing can repeat the request.
var reloadBodyOverEdit = spec.Case{
	ID: "RELOAD-BODY-OVER-EDIT", Level: spec.Must, Needs: []spec.Feature{spec.HotConfig},
	Title:    "An answer of which half has passed comes whole and unchanged although its upstream is edited and its route deleted meanwhile.",
	Refs:     []string{"APISIX 3.18 hot reload"},
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		g := ask.NewGate(ctx, t)
		t.Put(ctx, "upstreams/"+t.ID(), upstreamOf(g.Backend))
		t.Put(ctx, "routes/"+t.ID(), fmt.Sprintf(`{"host":%q,"uri":"/half","upstream_id":%q}`, t.Host(), t.ID()))
		t.Wait(ctx)
		hs := ask.Hold(ctx, t, g, traffic.Request{Host: t.Host(), Target: "/none"}, traffic.Request{Host: t.Host(), Target: "/half"}, t.Env().Gateways()...)
		t.Put(ctx, "upstreams/"+t.ID(), upstreamOf(t.Backend(0)))
		t.Wait(ctx)
		ask.Route(ctx, t, ask.Expect{Host: t.Host(), Target: "/half", Want: 0, Why: "a new request follows the edit"})
		t.Delete(ctx, "routes/"+t.ID())
		t.Wait(ctx)
		ask.Route(ctx, t, ask.Expect{Host: t.Host(), Target: "/half", Want: ask.None, Why: "a new request finds no route"})
		g.Finish(ctx, t, hs, "after edit and delete are in force")
	},
}
