package vpc

import (
	"context"
	"net/netip"
	"time"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/cases/site"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/check"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway that cuts what a target has in hand when it is withdrawn, a
// control plane that takes its address away before that has ended, and one that
// says "done" while requests still go there.
var targetWithdrawn = spec.Case{
	ID: "VPC-TARGET-WITHDRAWN", Level: spec.Must, Needs: []spec.Feature{spec.VPCTargets}, Env: []spec.Capability{spec.Region, spec.VPC, spec.EBPF},
	Title:   "A guest that is withdrawn gets no new request once that is in force, and finishes those it has in hand.",
	Refs:    []string{"docs/wire.md 3: operations", "docs/wire.md 4: lbc-api, drain"},
	Timeout: time.Minute,
	Run: func(ctx context.Context, t *spec.T) {
		eip, _ := site.TwoVPCs(t)
		lb, guests := site.Guests(ctx, t, eip, 2)
		leaves := guests[0]
		slow := site.Load(ctx, t, lb, "slow", traffic.PerSecond(80), traffic.TakingAbout(500*time.Millisecond)) // a quarter of the lab's drain time
		fast := site.Load(ctx, t, lb, "fast", traffic.PerSecond(60), traffic.Keepalive(12))
		site.Steady(ctx, t, fast, 300*time.Millisecond)
		ask.Ended(ctx, t, 1, slow)
		before := leaves.Server.Requests()
		lb.Targets = []netip.AddrPort{guests[1].Addr}
		if err := site.Retarget(ctx, t, t.Env().API(), lb); err != nil {
			t.Fatalf("%v", err)
		}
		inForce := t.Env().Recorder().Now()
		t.Check(before > 0, "%s had no request before it was withdrawn: this proves nothing", leaves.Ref)
		site.Steady(ctx, t, slow, 1500*time.Millisecond) // what it has in hand ends meanwhile
		h := site.Stop(ctx, t, slow, fast)
		late := arrivals(h, leaves, inForce)
		t.Check(late == 0, "%s got %d requests after it was withdrawn, and that was said to be in force", leaves.Ref, late)
		t.Verdicts(check.Judge(h, t.Env().Facts(), check.NoRequestLost(), check.AtMostOnce())...)
	},
}
