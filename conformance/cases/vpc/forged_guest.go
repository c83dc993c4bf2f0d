package vpc

import (
	"context"
	"time"

	"github.com/unilb/unilb/conformance/cases/forge"
	"github.com/unilb/unilb/conformance/cases/site"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/topology"
)

// Catches a gateway that believes any sender of a VXLAN packet, which nothing in
// it authenticates: a host that was taken over answers in the name of guests on
// all others.
var forgedGuest = spec.Case{
	ID: "VPC-FORGED-GUEST", Level: spec.Must, Needs: []spec.Feature{spec.VPCTargets}, Env: []spec.Capability{spec.Region, spec.VPC, spec.EBPF},
	Title:   "A gateway takes packets of a guest when the host on which it runs has sent them, and drops them when another host has.",
	Refs:    []string{"docs/wire.md 1: mappings, vtep", "docs/wire.md 5: fnat0", "RFC 7348 7"},
	Timeout: time.Minute,
	Run: func(ctx context.Context, t *spec.T) {
		eip, _ := site.TwoVPCs(t)
		_, guests := site.Guests(ctx, t, eip, 1)
		own, liar := hosts(t, guests[0])
		for _, g := range t.Env().Nodes(topology.KindL7) {
			lies := forge.Lies(ctx, t, g, forge.Guest(guests[0]), liar, own)
			t.Check(lies == 0, "%s took %d packets from %s, which plays %s of %s", g.Ref, lies, liar.Ref, guests[0].Ref, own.Ref)
		}
	},
}

// hosts are the hypervisor host of a guest and one that is another.
func hosts(t *spec.T, guest spec.Backend) (own, other spec.Node) {
	for _, h := range t.Env().Nodes(topology.KindHost) {
		if h.Ref == guest.Host {
			own = h
		} else {
			other = h
		}
	}
	if own.Ref == "" || other.Ref == "" {
		t.Brokenf("want the host of %s and another one", guest.Ref)
	}
	return own, other
}
