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

// Catches a forwarding plane that looks at addresses and not at networks, a
// gateway that shares connections or health between targets that only look
// alike, and a vswitch without a VNI check.
var vpcOverlapIsolation = spec.Case{
	ID: "VPC-OVERLAP-ISOLATION", Level: spec.Must, Needs: []spec.Feature{spec.VPCTargets}, Env: []spec.Capability{spec.Region, spec.VPC, spec.EBPF},
	Title:   "Two tenants whose targets have the same address and port get their own guests' answers only, through their own public addresses, at the same time.",
	Refs:    []string{"docs/wire.md 1, mappings"},
	Timeout: 90 * time.Second,
	Run: func(ctx context.Context, t *spec.T) {
		const port, guestPort = 80, 18080
		a, b := site.TwoVPCs(t)
		ga := t.Start(ctx, spec.Want{Network: a.Network, N: 1, Port: guestPort})[0]
		gb := t.Start(ctx, spec.Want{Network: b.Network, N: 1, Port: guestPort})[0]
		if ga.Addr != gb.Addr || ga.VNI == gb.VNI {
			t.Brokenf("%s is %s in VNI %d, %s is %s in VNI %d: want the same address in two networks", ga.Ref, ga.Addr, ga.VNI, gb.Ref, gb.Addr, gb.VNI)
		}
		var streams []*traffic.Stream
		for _, x := range []struct {
			eip   spec.EIP
			guest spec.Backend
		}{{a, ga}, {b, gb}} {
			site.Publish(ctx, t, site.LB{
				Name: x.eip.Network, Tenant: "t-" + x.eip.Network, EIP: x.eip.Address, Port: port, Host: t.Host(), VPC: x.eip.Network,
				Targets: []netip.AddrPort{x.guest.Addr},
			})
		}
		for _, x := range []spec.EIP{a, b} {
			s, err := traffic.Start(ctx, t.Env().Clients(), t.Env().Recorder(),
				traffic.New(t.Name(x.Network), netip.AddrPortFrom(x.Address, port), traffic.PerSecond(60), traffic.Keepalive(12), traffic.ToHost(t.Host())))
			if err != nil {
				t.Brokenf("start load: %v", err)
			}
			t.Cleanup(func(ctx context.Context) error { _, _ = s.Stop(ctx); return nil }) // judged below
			streams = append(streams, s)
		}
		var parts []*history.History
		for _, s := range streams {
			if err := s.Steady(ctx, time.Second); err != nil {
				t.Check(false, "%v", err)
			}
		}
		for _, s := range streams {
			h, err := s.Stop(ctx)
			t.Check(err == nil, "%v", err)
			parts = append(parts, h)
		}
		t.Verdicts(check.Judge(history.Merge(parts...), t.Env().Facts(), check.TenantIsolation(), check.NoRequestLost())...)
	},
}
