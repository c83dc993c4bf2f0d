package fnat

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/unilb/unilb/impl/fnat/bpf"
	"github.com/unilb/unilb/impl/vpc"
)

// A TakenError says that a guest is mapped to another unique IP already. The
// translation back is by guest, so a second unique IP would get no answers.
type TakenError struct {
	Unique netip.Addr // the one that was to be mapped
	By     netip.Addr // the one that has the guest
	VNI    uint32
	VPCIP  netip.Addr
}

func (e *TakenError) Error() string {
	return fmt.Sprintf("map %s: VNI %d %s is mapped to %s already", e.Unique, e.VNI, e.VPCIP, e.By)
}

func forwardEntry(m vpc.Mapping) (uint32, bpf.GatewayMapping) {
	return wire(m.UniqueIP), bpf.GatewayMapping{
		VpcIp: wire(m.VPCIP), Vni: m.VNI, Vtep: wire(m.VTEP), Mac: m.MAC, Generation: m.Generation,
	}
}

func reverseEntry(m vpc.Mapping) (bpf.GatewayGuest, bpf.GatewayIdentity) {
	return bpf.GatewayGuest{Vni: m.VNI, Ip: wire(m.VPCIP)},
		bpf.GatewayIdentity{UniqueIp: wire(m.UniqueIP), Vtep: wire(m.VTEP)}
}

// mappingOf is the inverse of forwardEntry; the kernel does not know the VPC's
// name.
func mappingOf(unique uint32, v bpf.GatewayMapping) vpc.Mapping {
	return vpc.Mapping{
		UniqueIP: unwire(unique), VNI: v.Vni, VPCIP: unwire(v.VpcIp),
		MAC: v.Mac, VTEP: unwire(v.Vtep), Generation: v.Generation,
	}
}

// Put maps a unique IP, or maps it anew. It is idempotent. The way back is
// written first: the first packet out may be answered at once. A guest that
// has another unique IP is refused with a *TakenError.
func (g *Gateway) Put(m vpc.Mapping) error {
	if err := m.Validate(); err != nil {
		return fmt.Errorf("map %s: %w", m.UniqueIP, err)
	}
	unique, to := forwardEntry(m)
	guest, identity := reverseEntry(m)
	holder, taken, err := g.reverse.get(guest)
	if err != nil {
		return fmt.Errorf("map %s: %w", m.UniqueIP, err)
	}
	if taken && holder.UniqueIp != unique {
		return &TakenError{Unique: m.UniqueIP, By: unwire(holder.UniqueIp), VNI: m.VNI, VPCIP: m.VPCIP}
	}
	old, moved, err := g.forward.get(unique)
	if err != nil {
		return fmt.Errorf("map %s: %w", m.UniqueIP, err)
	}
	if err := g.reverse.put(guest, identity); err != nil {
		return fmt.Errorf("map %s: write the way back: %w", m.UniqueIP, err)
	}
	if err := g.forward.put(unique, to); err != nil {
		return fmt.Errorf("map %s: %w", m.UniqueIP, err)
	}
	if moved && (old.Vni != to.Vni || old.VpcIp != to.VpcIp) {
		return g.forget(unique, old)
	}
	return nil
}

// Delete ends a mapping: first the way to the guest, then the way back. An
// absent one is fine.
func (g *Gateway) Delete(unique netip.Addr) error {
	old, ok, err := g.forward.get(wire(unique))
	if err != nil {
		return fmt.Errorf("unmap %s: %w", unique, err)
	}
	if !ok {
		return nil
	}
	if err := g.forward.delete(wire(unique)); err != nil {
		return fmt.Errorf("unmap %s: %w", unique, err)
	}
	return g.forget(wire(unique), old)
}

// forget removes the way back of a mapping that was, unless it leads to
// another unique IP by now.
func (g *Gateway) forget(unique uint32, old bpf.GatewayMapping) error {
	guest := bpf.GatewayGuest{Vni: old.Vni, Ip: old.VpcIp}
	identity, ok, err := g.reverse.get(guest)
	if err == nil && ok && identity.UniqueIp == unique {
		err = g.reverse.delete(guest)
	}
	if err != nil {
		return fmt.Errorf("unmap %s: remove the way back: %w", unwire(unique), err)
	}
	return nil
}

// Prune makes the mappings exactly those of want and says what differed. It
// reads the whole of both maps in batches, so it also finds what another hand
// changed. Two mappings of one guest are a mistake of the caller: a *TakenError
// before anything is changed.
func (g *Gateway) Prune(want []vpc.Mapping) (Diff, error) {
	forward := make(map[uint32]bpf.GatewayMapping, len(want))
	reverse := make(map[bpf.GatewayGuest]bpf.GatewayIdentity, len(want))
	for _, m := range want {
		if err := m.Validate(); err != nil {
			return Diff{}, fmt.Errorf("map %s: %w", m.UniqueIP, err)
		}
		guest, identity := reverseEntry(m)
		if by, taken := reverse[guest]; taken {
			return Diff{}, &TakenError{Unique: m.UniqueIP, By: unwire(by.UniqueIp), VNI: m.VNI, VPCIP: m.VPCIP}
		}
		reverse[guest] = identity
		unique, to := forwardEntry(m)
		forward[unique] = to
	}
	diff, err := g.prune(forward, reverse)
	if err != nil {
		return diff, fmt.Errorf("prune mappings: %w", err)
	}
	return diff, nil
}

func (g *Gateway) prune(forward map[uint32]bpf.GatewayMapping, reverse map[bpf.GatewayGuest]bpf.GatewayIdentity) (Diff, error) {
	there, err := g.forward.compare(forward)
	if err != nil {
		return Diff{}, err
	}
	back, err := g.reverse.compare(reverse)
	if err != nil {
		return Diff{}, err
	}
	if err := g.reverse.putAll(back.puts); err != nil {
		return Diff{}, err
	}
	if err := g.forward.putAll(there.puts); err != nil {
		return Diff{}, err
	}
	if err := g.forward.deleteAll(there.gone); err != nil {
		return Diff{}, err
	}
	if err := g.reverse.deleteAll(back.gone); err != nil {
		return Diff{}, err
	}
	if there.diff.Empty() { // only ways back differed
		return back.diff, nil
	}
	return there.diff, nil
}

// List returns all mappings, by ascending unique IP. Names of VPCs are unknown
// to the kernel and empty.
func (g *Gateway) List() ([]vpc.Mapping, error) { return listMappings(g.forward) }

func listMappings(forward entries[uint32, bpf.GatewayMapping]) ([]vpc.Mapping, error) {
	all, err := forward.all()
	if err != nil {
		return nil, fmt.Errorf("list mappings: %w", err)
	}
	out := make([]vpc.Mapping, 0, len(all))
	for unique, v := range all {
		out = append(out, mappingOf(unique, v))
	}
	slices.SortFunc(out, func(a, b vpc.Mapping) int { return a.UniqueIP.Compare(b.UniqueIP) })
	return out, nil
}
