package l4

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf"

	"github.com/unilb/unilb/impl/l4/bpf"
)

// Apply brings the maps in line with want, writing only what differs. The order
// keeps every packet in between whole: a member is known before a ring names it
// and forgotten after no ring does, and its state is set before the ring moves its
// connections; a VIP comes after its ring.
func (d *Datapath) Apply(want Desired) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	next := stateOf(want)
	if err := putAll(d.objs.Vteps, d.have.vteps, next.vteps); err != nil {
		return err
	}
	if err := putAll(d.objs.Members, d.have.members, next.members); err != nil {
		return err
	}
	for _, p := range pools {
		if err := d.putRing(p, want.Rings[p]); err != nil {
			return err
		}
	}
	if err := putAll(d.objs.Services, d.have.services, next.services); err != nil {
		return err
	}
	if err := putAll(d.objs.Vips, d.have.vips, next.vips); err != nil {
		return err
	}
	return errors.Join(
		deleteRest(d.objs.Vips, d.have.vips, next.vips),
		deleteRest(d.objs.Services, d.have.services, next.services),
		deleteRest(d.objs.Members, d.have.members, next.members),
		deleteRest(d.objs.Vteps, d.have.vteps, next.vteps),
	)
}

// putAll writes what is not in have; have follows.
func putAll[K, V comparable](m *ebpf.Map, have, want map[K]V) error {
	for k, v := range want {
		if old, ok := have[k]; ok && old == v {
			continue
		}
		if err := m.Put(k, v); err != nil {
			return fmt.Errorf("write to %s: %w", m, err)
		}
		have[k] = v
	}
	return nil
}

// deleteRest deletes what is not in want; have follows.
func deleteRest[K, V comparable](m *ebpf.Map, have, want map[K]V) error {
	for k := range have {
		if _, ok := want[k]; ok {
			continue
		}
		if err := m.Delete(k); err != nil && !errors.Is(err, ebpf.ErrKeyNotExist) {
			return fmt.Errorf("delete from %s: %w", m, err)
		}
		delete(have, k)
	}
	return nil
}

// putRing replaces the ring of a pool: it fills a new map and then puts that in
// the place of the old one, which the kernel frees when no packet uses it.
func (d *Datapath) putRing(p Pool, r Ring) error {
	if d.have.rings[uint32(p)] == r.Hash() {
		return nil
	}
	if r.Empty() {
		if err := d.objs.Rings.Delete(uint32(p)); err != nil && !errors.Is(err, ebpf.ErrKeyNotExist) {
			return fmt.Errorf("delete ring of %s: %w", p, err)
		}
		delete(d.have.rings, uint32(p))
		return nil
	}
	ring, err := ebpf.NewMap(d.inner)
	if err != nil {
		return fmt.Errorf("make ring of %s: %w", p, err)
	}
	defer func() { _ = ring.Close() }() // the outer map keeps it
	addrs := make([]uint32, len(r.members))
	for i, m := range r.members {
		addrs[i] = be32(m.Addr)
	}
	keys, slots := make([]uint32, RingSlots), make([]uint32, RingSlots)
	for i := range keys {
		keys[i], slots[i] = uint32(i), addrs[r.slots[i]]
	}
	if n, err := ring.BatchUpdate(keys, slots, nil); err != nil || n != RingSlots {
		return fmt.Errorf("fill ring of %s: %d slots: %w", p, n, err)
	}
	if err := d.objs.Rings.Put(uint32(p), ring); err != nil {
		return fmt.Errorf("put ring of %s: %w", p, err)
	}
	d.have.rings[uint32(p)] = r.Hash()
	return nil
}

// counterNames are the names of the status page, in the order of enum counter.
var counterNames = [bpf.L4CounterCOUNTERS]string{
	"forwarded", "forwarded_bytes", "syn", "known", "ring", "moved", "no_member", "unknown_port", "bad_protocol",
	"fragment", "ip_options", "malformed", "icmp_error", "icmp_stray", "icmp_echo", "icmp_other", "oversize",
	"tunnel_error", "probe", "probe_unknown", "tunnel_in",
}

// Counters returns the programs' counters since the maps were made, by name.
func (d *Datapath) Counters() (map[string]uint64, error) {
	out := make(map[string]uint64, len(counterNames))
	var perCPU []uint64
	for i, name := range counterNames {
		if err := d.objs.Counters.Lookup(uint32(i), &perCPU); err != nil {
			return nil, fmt.Errorf("read counter %s: %w", name, err)
		}
		for _, n := range perCPU {
			out[name] += n
		}
	}
	return out, nil
}
