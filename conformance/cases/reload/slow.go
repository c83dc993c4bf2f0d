package reload

import (
	"context"
	"fmt"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/echo"
	"github.com/unilb/unilb/sim/traffic"
)

// slowOver is a case in which a request that was sent before an edit is answered
// after the edit is in force: edit makes it and says what a new request gets.
func slowOver(c spec.Case, edit func(context.Context, *spec.T) (next int)) spec.Case {
	c.Level, c.Needs, c.Backends = spec.Must, []spec.Feature{spec.HotConfig}, 1
	c.Run = func(ctx context.Context, t *spec.T) {
		g := ask.NewGate(ctx, t)
		t.Put(ctx, "upstreams/"+t.ID(), upstreamOf(g.Backend))
		t.Put(ctx, "routes/"+t.ID(), fmt.Sprintf(`{"host":%q,"uri":"/slow/*","upstream_id":%q}`, t.Host(), t.ID()))
		t.Wait(ctx)
		hs := ask.Hold(ctx, t, g, traffic.Request{Host: t.Host(), Target: "/none"}, traffic.Request{Method: "POST", Host: t.Host(), Target: "/slow/1", Body: echo.Pattern(100)}, t.Env().Gateways()...)
		t.Step("%d requests are in flight", len(hs))
		next := edit(ctx, t)
		t.Wait(ctx)
		ask.Route(ctx, t, ask.Expect{Host: t.Host(), Target: "/slow/1", Want: next, Why: "a new request follows the edit"})
		g.Finish(ctx, t, hs, "after the edit is in force")
	}
	return c
}
