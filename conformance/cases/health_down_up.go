package cases

import (
	"context"
	"time"

	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/echo"
	"github.com/unilb/unilb/sim/traffic"
	"github.com/unilb/unilb/topology"
)

// healthBound is how long a gateway may take to notice: ten times what interval
// and threshold of the objects promise would be generous; it is rather less.
const healthBound = 15 * time.Second

// Catches a gateway that never probes, that counts only refused connections and
// not a bad status or silence, or that never takes a target back.
var healthDownUp = spec.Case{
	ID: "HEALTH-DOWN-UP", Level: spec.Must, Needs: []spec.Feature{spec.ActiveChecks},
	Title:    "A target whose health check fails, by status or by silence, gets no more requests, and gets some again once it is well; no request fails meanwhile.",
	Refs:     []string{"APISIX 3.18 upstream.checks.active, state machine"},
	Objects:  objects("health_down_up"),
	Backends: 2,
	Timeout:  6 * healthBound,
	Run: func(ctx context.Context, t *spec.T) {
		sick, well := t.Backend(0), t.Backend(1)
		for _, gw := range t.Env().Gateways()[:1] {
			s := session(t, gw.Data, traffic.Options{Conns: traffic.ConnPolicy{Keep: 2}})
			ask := func(target string) topology.Ref {
				r := s.Do(ctx, traffic.Request{Host: t.Host(), Target: target})
				if r.Reply == nil && ctx.Err() != nil {
					return "" // the time is over: whoever waits says for what
				}
				if r.Backend() == "" || r.Reply.Status != 200 {
					t.Fatalf("got %s, want 200 of a backend (op %s)", said(r), r.Op.ID)
				}
				return r.Backend()
			}
			until(ctx, t, "both targets serve", 1, func() bool { return ask("/") == sick.Ref })
			for _, h := range []echo.Health{echo.Sick, echo.Hanging} {
				t.Step("health of %s becomes %d", sick.Ref, h)
				sick.Server.SetHealth(h)
				until(ctx, t, "the sick target gets nothing", 20, func() bool { return ask("/") == well.Ref })
				t.Logf("noticed; %d probes so far", sick.Server.Probes())
				for range 50 {
					if got := ask("/gate"); got != well.Ref {
						t.Fatalf("%s got a request after it was out", got)
					}
				}
				t.Step("%s is well again", sick.Ref)
				sick.Server.SetHealth(echo.Healthy)
				until(ctx, t, "the target gets requests again", 1, func() bool { return ask("/") == sick.Ref })
			}
		}
	},
}

// until asks at a steady pace until so many answers in a row are as wished.
func until(ctx context.Context, t *spec.T, what string, inARow int, ok func() bool) {
	ctx, cancel := context.WithTimeout(ctx, healthBound)
	defer cancel()
	pace := time.NewTicker(20 * time.Millisecond)
	defer pace.Stop()
	for n := 0; n < inARow; {
		if ok() {
			n++
		} else {
			n = 0
		}
		select {
		case <-pace.C:
		case <-ctx.Done():
			t.Fatalf("%s: not within %s", what, healthBound)
		}
	}
}
