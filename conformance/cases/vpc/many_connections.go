package vpc

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/cases/site"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/check"
	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a forwarding plane whose connections share what they must not: ports, or
// entries of a table that is too small.
var manyConnections = spec.Case{
	ID: "VPC-MANY-CONNECTIONS", Level: spec.Must, Needs: []spec.Feature{spec.VPCTargets}, Env: []spec.Capability{spec.Region, spec.VPC, spec.EBPF},
	Title:   "Two hundred requests at once to two guests with one address in two networks are all answered, each from its own network.",
	Refs:    []string{"docs/wire.md 1: mappings"},
	Timeout: time.Minute,
	Run: func(ctx context.Context, t *spec.T) {
		const atOnce, guestPort = 100, 18081 // for each network
		a, b := site.TwoVPCs(t)
		var lbs []site.LB
		for _, eip := range []spec.EIP{a, b} {
			guest := t.Start(ctx, spec.Want{Network: eip.Network, N: 1, Port: guestPort})[0]
			lb := site.LB{Name: eip.Network, Tenant: "t-" + eip.Network, EIP: eip.Address, Port: 80, Host: t.Host(), VPC: eip.Network}
			lb.Targets = append(lb.Targets, guest.Addr)
			site.Publish(ctx, t, lb)
			lbs = append(lbs, lb)
		}
		var streams []*traffic.Stream
		for _, lb := range lbs {
			s, err := traffic.Start(ctx, t.Env().Clients(), t.Env().Recorder(),
				traffic.New(t.Name(lb.Name), lb.To(), traffic.Closed(atOnce), traffic.Keepalive(atOnce), traffic.TakingAbout(300*time.Millisecond), traffic.ToHost(lb.Host)))
			if err != nil {
				t.Brokenf("start load: %v", err)
			}
			t.Cleanup(func(ctx context.Context) error { _, _ = s.Stop(ctx); return nil }) // judged below
			streams = append(streams, s)
		}
		for _, s := range streams {
			ask.Ended(ctx, t, 2*atOnce, s)
		}
		h := site.Stop(ctx, t, streams...)
		if n := busiest(h); n < 2*atOnce*9/10 {
			t.Undecided("at most %d requests were under way at once, want %d", n, 2*atOnce)
		}
		t.Verdicts(check.Judge(h, t.Env().Facts(), check.NoRequestLost(), check.TenantIsolation())...)
	},
}

// busiest is the most requests that were under way at one moment.
func busiest(h *history.History) int {
	at := map[time.Duration]int{}
	for _, o := range h.Ops {
		at[o.Sent]++
		at[o.Returned]--
	}
	most, now := 0, 0
	for _, moment := range slices.Sorted(maps.Keys(at)) {
		now += at[moment]
		most = max(most, now)
	}
	return most
}
