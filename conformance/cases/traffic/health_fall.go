package traffic

import (
	"context"
	"net"
	"sync"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway that takes a target out for a single failed probe: one lost
// packet and a third of the capacity is gone.
var healthFall = spec.Case{
	ID: "HEALTH-FALL", Level: spec.Must, Needs: []spec.Feature{spec.ActiveChecks},
	Title:    "With http_failures 3 a target still gets requests after two failed probes, and none after the third.",
	Refs:     []string{"APISIX 3.18 upstream.checks.active.unhealthy.http_failures"},
	Backends: 1,
	Timeout:  healthTime(2),
	After:    []string{"HEALTH-DOWN-UP"},
	Run: func(ctx context.Context, t *spec.T) {
		var mu sync.Mutex
		sick, failed := false, map[string]int{} // failed probes, by the address of the gateway
		pause := make(chan struct{})
		b := play(ctx, t, func(a *actor) {
			for q, ok := a.take(); ok; q, ok = a.take() {
				status := "200 OK"
				if q.Target == "/probe" {
					from, _, _ := net.SplitHostPort(a.RemoteAddr().String())
					mu.Lock()
					if sick {
						failed[from]++
						status = "503 Service Unavailable"
					}
					third := failed[from] > 2
					mu.Unlock()
					if third {
						select { // the third one is answered when requests were asked for
						case <-pause:
						case <-ctx.Done():
							return
						}
					}
				}
				if !a.say(q.head(status, "Content-Length: 0")) {
					return
				}
			}
		})
		well := t.Backend(0)
		routeChecked(ctx, t, t.ID(), t.Host(), checkedUpstream(b, well, "/probe", 3, ""))
		t.Wait(ctx)
		s := one(t)
		ask.Until(ctx, t, "both targets serve", 1, func() bool { return served(ctx, t, s, t.Host()) == b.Ref })
		mu.Lock()
		sick = true
		mu.Unlock()
		gateway := func() string { // as the target sees it
			for _, a := range arrivals(t) {
				if a.Backend == b.Ref && a.ID != "" {
					from, _, _ := net.SplitHostPort(a.From)
					return from
				}
			}
			return ""
		}
		ask.Until(ctx, t, "two probes have failed", 1, func() bool {
			served(ctx, t, s, t.Host())
			mu.Lock()
			defer mu.Unlock()
			return failed[gateway()] >= 2
		})
		n := count(picks(ctx, t, s, 10, traffic.Request{Host: t.Host()}))
		t.Check(n[b.Ref] > 0, "after two failed probes the target got none of 10 requests")
		close(pause)
		untilAlone(ctx, t, s, t.Host(), well.Ref)
	},
}
