package l4

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"hash/fnv"
	"net/netip"
	"slices"
)

// RingSlots is the number of slots of a ring: prime, as Maglev needs, and large
// against the number of members, so that shares differ by little. The eBPF
// programs have the same number.
const RingSlots = 65537

// A RingMember is what a ring is computed from.
type RingMember struct {
	Name string
	Addr netip.Addr // member address, IPv4
}

// A Ring assigns each slot to a member. The zero Ring assigns nothing. A Ring is
// immutable.
type Ring struct {
	members []RingMember // sorted by name
	slots   []uint16     // index in members
	hash    string
}

// BuildRing computes the Maglev ring of the members (Eisenbud et al., NSDI 2016,
// 3.4). The order of the argument does not matter; names must differ. Of n
// members that differ by one, the others keep nearly all of their slots.
func BuildRing(members []RingMember) Ring {
	if len(members) == 0 {
		return Ring{}
	}
	sorted := slices.SortedFunc(slices.Values(members), func(a, b RingMember) int { return cmp.Compare(a.Name, b.Name) })
	r := Ring{members: sorted, slots: populate(sorted)}
	r.hash = r.sum()
	return r
}

// populate lets the members choose slots in turn, each by its own permutation.
func populate(members []RingMember) []uint16 {
	const free = ^uint16(0)
	slots := make([]uint16, RingSlots)
	for i := range slots {
		slots[i] = free
	}
	next := make([]uint64, len(members)) // the slot each member tries next
	skip := make([]uint64, len(members))
	for i, m := range members {
		next[i] = hashName(m.Name, 1) % RingSlots
		skip[i] = hashName(m.Name, 2)%(RingSlots-1) + 1
	}
	for filled := 0; ; {
		for i := range members {
			for slots[next[i]] != free {
				next[i] = (next[i] + skip[i]) % RingSlots
			}
			slots[next[i]] = uint16(i)
			if filled++; filled == RingSlots {
				return slots
			}
		}
	}
}

// hashName is FNV-1a followed by the finaliser of MurmurHash3: FNV alone leaves
// names that differ in their last letter close together.
func hashName(name string, seed byte) uint64 {
	h := fnv.New64a()
	h.Write([]byte{seed})
	h.Write([]byte(name))
	x := h.Sum64()
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	x *= 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}

// sum is what two L4 nodes compare: it covers the address in every slot.
func (r Ring) sum() string {
	buf := make([]byte, 0, 4*RingSlots)
	for _, i := range r.slots {
		a := r.members[i].Addr.As4()
		buf = append(buf, a[:]...)
	}
	return hashSlots(buf)
}

// hashSlots hashes a ring as it stands in the kernel: 4 bytes for each slot.
func hashSlots(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:8])
}

// Empty reports whether the ring has no members.
func (r Ring) Empty() bool { return len(r.members) == 0 }

// Hash identifies the content of the ring: the member address in every slot.
// It is equal on all L4 nodes that see the same members up; empty for an empty
// ring.
func (r Ring) Hash() string { return r.hash }

// Members returns the members, sorted by name. The caller must not change it.
func (r Ring) Members() []RingMember { return r.members }

// At returns the member address in a slot; the zero Addr in an empty ring.
func (r Ring) At(slot int) netip.Addr {
	if r.Empty() {
		return netip.Addr{}
	}
	return r.members[r.slots[slot]].Addr
}

// sameMembers reports whether the ring was computed from these members, which
// are sorted by name.
func (r Ring) sameMembers(sorted []RingMember) bool { return slices.Equal(r.members, sorted) }
