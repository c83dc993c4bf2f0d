package site

import (
	"context"

	"github.com/unilb/unilb/conformance/spec"
)

// Servers publishes a site of servers in the data centre behind its public address,
// and returns when every gateway takes traffic of it.
func Servers(ctx context.Context, t *spec.T, n int) (LB, []spec.Backend) {
	return publishAt(ctx, t, EIP(t, "idc"), "", n)
}

// Guests does the same with guests in a tenant's network.
func Guests(ctx context.Context, t *spec.T, eip spec.EIP, n int) (LB, []spec.Backend) {
	return publishAt(ctx, t, eip, eip.Network, n)
}

func publishAt(ctx context.Context, t *spec.T, eip spec.EIP, vpc string, n int) (LB, []spec.Backend) {
	backends := t.Start(ctx, spec.Want{Network: eip.Network, N: n})
	lb := LB{Name: eip.Network, Tenant: "t-" + eip.Network, EIP: eip.Address, Port: 80, Host: t.Host(), VPC: vpc}
	for _, b := range backends {
		lb.Targets = append(lb.Targets, b.Addr)
	}
	Publish(ctx, t, lb)
	// An earlier case may have restarted a gateway that L4 has not taken back yet.
	if err := TakeTraffic(ctx, t, lb, Refs(t)...); err != nil {
		t.Fatalf("%v", err)
	}
	return lb, backends
}
