package vpc

import (
	"context"
	"net/netip"
	"time"

	"github.com/unilb/unilb/conformance/cases/site"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/check"
	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway whose idle connections, and a forwarding plane whose entries,
// outlive the target: the next tenant who has that address gets the requests of
// the one before him.
var addressOfAnother = spec.Case{
	ID: "VPC-ADDRESS-OF-ANOTHER", Level: spec.Must, Needs: []spec.Feature{spec.VPCTargets}, Env: []spec.Capability{spec.Region, spec.VPC, spec.EBPF},
	Title:   "A new target with the address and port of one that another tenant has just given up gets none of that tenant's requests, and that tenant loses none.",
	Refs:    []string{"docs/wire.md 1: mappings, generation"},
	Timeout: time.Minute,
	Run: func(ctx context.Context, t *spec.T) {
		const guestPort = 18082
		a, b := site.TwoVPCs(t)
		old := t.Start(ctx, spec.Want{Network: a.Network, N: 2, Port: guestPort})
		next := t.Start(ctx, spec.Want{Network: b.Network, N: 1, Port: guestPort})[0]
		if old[0].Addr != next.Addr || old[0].VNI == next.VNI {
			t.Brokenf("%s is %s in VNI %d, %s is %s in VNI %d: want the same address in two networks", old[0].Ref, old[0].Addr, old[0].VNI, next.Ref, next.Addr, next.VNI)
		}
		first := site.LB{Name: a.Network, Tenant: "t-" + a.Network, EIP: a.Address, Port: 80, Host: t.Host(), VPC: a.Network, Targets: []netip.AddrPort{old[0].Addr}}
		site.Publish(ctx, t, first)
		load := site.Load(ctx, t, first, "first", traffic.PerSecond(100), traffic.Keepalive(24))
		site.Steady(ctx, t, load, 300*time.Millisecond)

		t.Step("the first tenant gives %s up, and the second takes it", old[0].Addr)
		first.Targets = []netip.AddrPort{old[1].Addr}
		if err := site.Retarget(ctx, t, t.Env().API(), first); err != nil {
			t.Fatalf("%v", err)
		}
		given := t.Env().Recorder().Now()
		second := site.LB{Name: b.Network, Tenant: "t-" + b.Network, EIP: b.Address, Port: 80, Host: t.Host(), VPC: b.Network, Targets: []netip.AddrPort{next.Addr}}
		site.Publish(ctx, t, second)
		other := site.Load(ctx, t, second, "second", traffic.PerSecond(50), traffic.Keepalive(12))
		site.Steady(ctx, t, other, 500*time.Millisecond)
		site.Steady(ctx, t, load, 300*time.Millisecond)
		h := site.Stop(ctx, t, load, other)
		t.Check(arrivals(h, old[0], given) == 0, "%s got %d requests after it was given up", old[0].Ref, arrivals(h, old[0], given))
		t.Check(arrivals(h, next, 0) > 0, "%s got no request: this proves nothing", next.Ref)
		t.Verdicts(check.Judge(h, t.Env().Facts(), check.TenantIsolation(), check.NoRequestLost(), check.AtMostOnce())...)
	},
}

// arrivals is the number of requests that a backend got after a moment of the run.
func arrivals(h *history.History, b spec.Backend, after time.Duration) int {
	n := 0
	for _, a := range h.Arrivals {
		if a.Backend == b.Ref && a.At > after {
			n++
		}
	}
	return n
}
