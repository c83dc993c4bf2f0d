package vpc

import (
	"context"
	"time"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/cases/site"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/traffic"
	"github.com/unilb/unilb/topology"
)

// Catches a forwarding plane that does not put the guest's own address back into
// the packet, or the network's number: the guest's firewall, and all that looks at
// where a connection goes, see an address that the tenant does not know.
var guestSeesItself = spec.Case{
	ID: "VPC-GUEST-SEES-ITSELF", Level: spec.Must, Needs: []spec.Feature{spec.VPCTargets}, Env: []spec.Capability{spec.Region, spec.VPC, spec.EBPF},
	Title:   "A guest that is reached through an address of the region's sees the connection come to its own address and port, whichever gateway it comes through.",
	Refs:    []string{"docs/wire.md 1: mappings"},
	Timeout: time.Minute,
	Run: func(ctx context.Context, t *spec.T) {
		a, b := site.TwoVPCs(t)
		for _, eip := range []spec.EIP{a, b} {
			lb, guests := site.Guests(ctx, t, eip, 2)
			byRef := map[topology.Ref]spec.Backend{guests[0].Ref: guests[0], guests[1].Ref: guests[1]}
			met := map[topology.Ref]map[topology.Ref]bool{}
			gateways := site.Refs(t)
			sessions := site.Fresh(t, lb, eip.Network, 0)
			for i := 0; i < 60*len(gateways) && !all(met, gateways, len(guests)); i++ {
				r := sessions[i%len(sessions)].Do(ctx, traffic.Request{Host: lb.Host})
				seen := ask.Seen(t, r)
				g := byRef[seen.Backend]
				t.Check(seen.Local == g.Addr.String() && seen.VNI == g.VNI, "%s sees the connection come to %s in VNI %d, want its own %s in VNI %d (op %s)",
					seen.Backend, seen.Local, seen.VNI, g.Addr, g.VNI, r.Op.ID)
				through := site.Through(t, r)
				if met[through] == nil {
					met[through] = map[topology.Ref]bool{}
				}
				met[through][seen.Backend] = true
			}
			t.Check(all(met, gateways, len(guests)), "%s: not every gateway has reached every guest: %v", eip.Network, met)
		}
	},
}

// all says whether each gateway has reached so many guests.
func all(met map[topology.Ref]map[topology.Ref]bool, gateways []topology.Ref, guests int) bool {
	for _, g := range gateways {
		if len(met[g]) < guests {
			return false
		}
	}
	return true
}
