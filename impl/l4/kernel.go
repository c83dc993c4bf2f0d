package l4

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"

	"github.com/cilium/ebpf"

	"github.com/unilb/unilb/impl/l4/bpf"
)

// kernelState is what the maps hold, in their own form.
type kernelState struct {
	services map[bpf.L4VipKey]bpf.L4Service
	vips     map[uint32]bpf.L4Service
	members  map[bpf.L4MemberKey]bpf.L4Member
	vteps    map[uint32]uint32
	rings    map[uint32]string       // hash of the content, by pool
	holders  map[uint32][]netip.Addr // who holds slots, as read
}

// be32 is an address as the programs see it in a packet.
func be32(a netip.Addr) uint32 {
	b := a.As4()
	return binary.NativeEndian.Uint32(b[:])
}

func addrOf(v uint32) netip.Addr {
	var b [4]byte
	binary.NativeEndian.PutUint32(b[:], v)
	return netip.AddrFrom4(b)
}

// be16 is a port as the programs see it in a packet.
func be16(p uint16) uint16 {
	var b [2]byte
	binary.BigEndian.PutUint16(b[:], p)
	return binary.NativeEndian.Uint16(b[:])
}

func portOf(v uint16) uint16 {
	var b [2]byte
	binary.NativeEndian.PutUint16(b[:], v)
	return binary.BigEndian.Uint16(b[:])
}

func keyOf(m Member) bpf.L4MemberKey {
	return bpf.L4MemberKey{Pool: uint32(m.Pool), Addr: be32(m.Addr)}
}

func valueOf(r Record) bpf.L4Member {
	v := bpf.L4Member{Vtep: be32(r.VTEP), State: bpf.L4MemberState(r.State), ProbePort: r.ProbePort}
	copy(v.Name[:maxNameBytes], r.Name)
	return v
}

func recordOf(k bpf.L4MemberKey, v bpf.L4Member) Record {
	name, _, _ := bytes.Cut(v.Name[:], []byte{0})
	return Record{
		Member: Member{Pool: Pool(k.Pool), Name: string(name), Addr: addrOf(k.Addr), VTEP: addrOf(v.Vtep), ProbePort: v.ProbePort},
		State:  State(v.State),
	}
}

// stateOf brings what is desired into the form of the maps. Rings are left out.
func stateOf(want Desired) kernelState {
	s := kernelState{
		services: map[bpf.L4VipKey]bpf.L4Service{}, vips: map[uint32]bpf.L4Service{},
		members: map[bpf.L4MemberKey]bpf.L4Member{}, vteps: map[uint32]uint32{},
	}
	for _, v := range want.VIPs {
		svc := bpf.L4Service{Pool: uint32(v.Pool)}
		s.vips[be32(v.Addr)] = svc
		for _, p := range v.Ports {
			s.services[bpf.L4VipKey{Addr: be32(v.Addr), Port: be16(p.Port), Proto: uint8(p.Proto)}] = svc
		}
	}
	for _, r := range want.Members {
		s.members[keyOf(r.Member)] = valueOf(r)
		s.vteps[be32(r.Addr)] = be32(r.VTEP)
	}
	return s
}

// readKernel reads what the maps hold.
func (d *Datapath) readKernel() (kernelState, error) {
	var s kernelState
	var err error
	if s.services, err = readMap[bpf.L4VipKey, bpf.L4Service](d.objs.Services); err != nil {
		return s, err
	}
	if s.vips, err = readMap[uint32, bpf.L4Service](d.objs.Vips); err != nil {
		return s, err
	}
	if s.members, err = readMap[bpf.L4MemberKey, bpf.L4Member](d.objs.Members); err != nil {
		return s, err
	}
	if s.vteps, err = readMap[uint32, uint32](d.objs.Vteps); err != nil {
		return s, err
	}
	s.rings, s.holders = map[uint32]string{}, map[uint32][]netip.Addr{}
	for _, p := range pools {
		slots, err := d.readRing(p)
		if err != nil {
			return s, err
		}
		if slots == nil {
			continue
		}
		buf := make([]byte, 4*len(slots))
		held := map[uint32]bool{}
		for i, v := range slots {
			binary.NativeEndian.PutUint32(buf[4*i:], v)
			held[v] = true
		}
		s.rings[uint32(p)] = hashSlots(buf)
		for v := range held {
			s.holders[uint32(p)] = append(s.holders[uint32(p)], addrOf(v))
		}
	}
	return s, nil
}

func readMap[K comparable, V any](m *ebpf.Map) (map[K]V, error) {
	out := map[K]V{}
	var k K
	var v V
	it := m.Iterate()
	for it.Next(&k, &v) {
		out[k] = v
	}
	if err := it.Err(); err != nil {
		return nil, fmt.Errorf("read %s: %w", m, err)
	}
	return out, nil
}

// readRing returns the slots of a pool's ring, nil when it has none.
func (d *Datapath) readRing(p Pool) ([]uint32, error) {
	var ring *ebpf.Map
	err := d.objs.Rings.Lookup(uint32(p), &ring)
	if errors.Is(err, ebpf.ErrKeyNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read ring of %s: %w", p, err)
	}
	defer func() { _ = ring.Close() }()
	keys, slots := make([]uint32, RingSlots), make([]uint32, RingSlots)
	var at ebpf.MapBatchCursor
	n, err := ring.BatchLookup(&at, keys, slots, nil)
	if err != nil && !errors.Is(err, ebpf.ErrKeyNotExist) || n != RingSlots {
		return nil, fmt.Errorf("read ring of %s: %d slots: %w", p, n, err)
	}
	return slots, nil
}

// adopted is the state in the controller's words.
func (s kernelState) adopted() Adopted {
	a := Adopted{Rings: map[Pool][]RingMember{}}
	ports := map[netip.Addr][]Port{}
	for k := range s.services {
		ports[addrOf(k.Addr)] = append(ports[addrOf(k.Addr)], Port{Port: portOf(k.Port), Proto: Proto(k.Proto)})
	}
	for k, v := range s.vips {
		addr := addrOf(k)
		a.VIPs = append(a.VIPs, VIP{Addr: addr, Pool: Pool(v.Pool), Ports: ports[addr]})
	}
	slices.SortFunc(a.VIPs, func(x, y VIP) int { return x.Addr.Compare(y.Addr) })
	for _, k := range slices.SortedFunc(maps.Keys(s.members), func(x, y bpf.L4MemberKey) int { return addrOf(x.Addr).Compare(addrOf(y.Addr)) }) {
		a.Members = append(a.Members, recordOf(k, s.members[k]))
	}
	for p, held := range s.holders {
		a.Rings[Pool(p)] = lastRing(held, ofPool(a.Members, Pool(p)))
	}
	return a
}
