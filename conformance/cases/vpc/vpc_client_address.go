package vpc

import (
	"context"
	"net/netip"
	"slices"
	"time"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/cases/site"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches an L4 layer that translates source addresses, and a gateway that
// reports its peer wrongly: tenants could no longer tell their clients apart.
var vpcClientAddress = spec.Case{
	ID: "VPC-CLIENT-ADDRESS", Level: spec.Must, Needs: []spec.Feature{spec.VPCTargets}, Env: []spec.Capability{spec.Region, spec.VPC, spec.EBPF},
	Title:   "A guest behind a public address learns each client's own address in X-Forwarded-For, and the connection to it comes from a gateway's member address.",
	Refs:    []string{"docs/wire.md 1, registration (member)", "docs/wire.md 5"},
	Timeout: 60 * time.Second,
	Run: func(ctx context.Context, t *spec.T) {
		const port = 80
		e, _ := site.TwoVPCs(t)
		guest := t.Start(ctx, spec.Want{Network: e.Network, N: 1})[0]
		site.Publish(ctx, t, site.LB{Name: "addr", Tenant: "t1", EIP: e.Address, Port: port, Host: t.Host(), VPC: e.Network, Targets: []netip.AddrPort{guest.Addr}})
		facts := t.Env().Facts()
		for _, client := range t.Env().Clients() {
			s := traffic.NewSession(client, netip.AddrPortFrom(e.Address, port), t.Env().Recorder(), traffic.Options{Stream: t.Name("addr")})
			for range 4 {
				r := s.Do(ctx, traffic.Request{Host: t.Host()})
				a, want := ask.Seen(t, r), ask.ClientAddr(t, r)
				t.Check(slices.Equal(a.Values("X-Forwarded-For"), []string{want}), "%s: the guest saw X-Forwarded-For %q, want %q (op %s)", client.Ref, a.Values("X-Forwarded-For"), want, r.Op.ID)
				from, err := netip.ParseAddrPort(a.From)
				_, known := facts.Gateways[from.Addr()]
				t.Check(err == nil && known && from.Addr().String() != want, "%s: the guest saw the connection come from %s, which is no gateway's address", client.Ref, a.From)
			}
		}
	},
}
