package l4

import (
	"net/netip"
	"slices"
)

// A Record is a member together with what it may get: what the eBPF programs
// know of it.
type Record struct {
	Member
	State State
}

// Desired is everything that is to be in force in the data path.
type Desired struct {
	VIPs    []VIP         // sorted
	Members []Record      // sorted by pool and name
	Rings   map[Pool]Ring // no entry and an empty ring are the same
}

// effective is the state of a member after probes and registration: whoever
// took it out wins over a successful probe, but not over a failed one. A member
// that answers again, but not yet often enough, keeps what connections it has:
// when all were down and the last ring stayed, they carried traffic, and the
// first to be up again must not take over the connections of the others.
func effective(m Member, h Health) State {
	if h.State == Up && m.Leaving || h.State == Down && h.successes > 0 {
		return Draining
	}
	return h.State
}

// ringMembers chooses who is in a pool's ring: members that are up. When there
// is none, the last ring stays (failOpen), without those that are no longer
// registered: that all members fail at once is less likely than that our probes
// do, and to refuse everything helps nobody. A node that has no last ring takes
// all members that are not leaving, once every one of them was found to be down.
func ringMembers(last []RingMember, records []Record) (members []RingMember, failOpen bool) {
	registered := make(map[RingMember]bool, len(records))
	var all []RingMember
	decided := true
	for _, r := range records {
		rm := RingMember{Name: r.Name, Addr: r.Addr}
		registered[rm] = true
		if r.State == Up {
			members = append(members, rm)
		}
		if !r.Leaving {
			all = append(all, rm)
		}
		decided = decided && r.State != Unknown
	}
	if len(members) > 0 || len(records) == 0 {
		return members, false
	}
	for _, rm := range last {
		if registered[rm] {
			members = append(members, rm)
		}
	}
	if len(members) == 0 && decided {
		members = all
	}
	return members, len(members) > 0
}

// ofPool returns the records of one pool.
func ofPool(records []Record, p Pool) []Record {
	var out []Record
	for _, r := range records {
		if r.Pool == p {
			out = append(out, r)
		}
	}
	return out
}

// lastRing returns who holds slots of an adopted ring, as far as they are known.
func lastRing(slots []netip.Addr, records []Record) []RingMember {
	held := make(map[netip.Addr]bool)
	for _, a := range slots {
		held[a] = true
	}
	var out []RingMember
	for _, r := range records {
		if held[r.Addr] {
			out = append(out, RingMember{Name: r.Name, Addr: r.Addr})
		}
	}
	slices.SortFunc(out, func(a, b RingMember) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
	return out
}
