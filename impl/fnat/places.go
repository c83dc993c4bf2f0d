package fnat

import (
	"fmt"
	"net/netip"

	"github.com/unilb/unilb/impl/fnat/bpf"
	"github.com/unilb/unilb/impl/vpc"
)

// A Place says where an address of a VPC lives: at an interface of this host
// when Index is not 0, else on the host with the address VTEP.
type Place struct {
	VNI   uint32     `json:"vni"`
	IP    netip.Addr `json:"ip"`
	MAC   vpc.MAC    `json:"mac"`
	VTEP  netip.Addr `json:"vtep,omitzero"`
	Index int        `json:"ifindex,omitempty"`
	// Veth says that the interface is one end of a veth pair whose other end is
	// in another namespace. Packets are then delivered there without passing
	// the host's queue; for any other kind of device this would lose them.
	Veth bool `json:"veth,omitempty"`
}

func placeEntry(p Place) (bpf.VswitchGuest, bpf.VswitchPlace) {
	v := bpf.VswitchPlace{Ifindex: uint32(p.Index), Mac: p.MAC}
	if p.Index == 0 {
		v.Vtep = wire(p.VTEP)
	}
	if p.Veth {
		v.Peer = 1
	}
	return bpf.VswitchGuest{Vni: p.VNI, Ip: wire(p.IP)}, v
}

func placeOf(k bpf.VswitchGuest, v bpf.VswitchPlace) Place {
	p := Place{VNI: k.Vni, IP: unwire(k.Ip), MAC: v.Mac, Index: int(v.Ifindex), Veth: v.Peer != 0}
	if v.Ifindex == 0 {
		p.VTEP = unwire(v.Vtep)
	}
	return p
}

// PutPlace says where an address lives. It is idempotent.
func (v *Vswitch) PutPlace(p Place) error {
	k, e := placeEntry(p)
	if err := v.places.put(k, e); err != nil {
		return fmt.Errorf("place VNI %d %s: %w", p.VNI, p.IP, err)
	}
	return nil
}

// DeletePlace forgets where an address lives. An absent one is fine.
func (v *Vswitch) DeletePlace(vni uint32, ip netip.Addr) error {
	if err := v.places.delete(bpf.VswitchGuest{Vni: vni, Ip: wire(ip)}); err != nil {
		return fmt.Errorf("forget VNI %d %s: %w", vni, ip, err)
	}
	return nil
}

// PrunePlaces makes the places exactly those of want.
func (v *Vswitch) PrunePlaces(want []Place) (Diff, error) {
	all := make(map[bpf.VswitchGuest]bpf.VswitchPlace, len(want))
	for _, p := range want {
		k, e := placeEntry(p)
		all[k] = e
	}
	diff, err := v.places.sync(all)
	if err != nil {
		return diff, fmt.Errorf("prune places: %w", err)
	}
	return diff, nil
}

// A GuestPort says which network the guest behind an interface is in. Router
// speaks for the network in ICMP errors, usually its first address; the zero
// Addr makes the destination speak for itself.
type GuestPort struct {
	VNI    uint32     `json:"vni"`
	Router netip.Addr `json:"router,omitzero"`
}

// PrunePorts makes the interfaces that may send exactly those of want, by
// index.
func (v *Vswitch) PrunePorts(want map[int]GuestPort) (Diff, error) {
	all := make(map[uint32]bpf.VswitchPort, len(want))
	for index, p := range want {
		all[uint32(index)] = bpf.VswitchPort{Vni: p.VNI, Router: wire(p.Router)}
	}
	diff, err := v.ports.sync(all)
	if err != nil {
		return diff, fmt.Errorf("prune guests' interfaces: %w", err)
	}
	return diff, nil
}

// PruneGateways makes the gateways that guests may reach, and that may reach
// them, exactly those of want: member address to VTEP.
func (v *Vswitch) PruneGateways(want map[netip.Addr]netip.Addr) (Diff, error) {
	all := make(map[uint32]uint32, len(want))
	for member, vtep := range want {
		all[wire(member)] = wire(vtep)
	}
	diff, err := v.gateways.sync(all)
	if err != nil {
		return diff, fmt.Errorf("prune gateways: %w", err)
	}
	return diff, nil
}
