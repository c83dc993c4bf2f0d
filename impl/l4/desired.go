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
// took it out wins over a successful probe, but not over a failed one.
func effective(m Member, probed State) State {
	if probed == Up && m.Leaving {
		return Draining
	}
	return probed
}

// ringMembers chooses who is in a pool's ring: members that are up. When there
// is none, the ring fails open: that all members fail at once is less likely
// than that our probes do, and to refuse everything helps nobody. Every L4 node
// must choose the same, so the choice rests on the members and not on what this
// node had before: those that are draining, which do answer; else all that are
// not leaving; else all. Only a node that adopted a ring and has not judged the
// members yet keeps that ring (last).
//
// A ring that failed open (open) stays until every member has been judged since
// the first one was up again: it would get the connections of all the others,
// which very likely work, too.
func ringMembers(last []RingMember, records []Record, open bool) (members []RingMember, failOpen bool) {
	var up, draining, staying, all, known []RingMember
	decided := true
	for _, r := range records {
		rm := RingMember{Name: r.Name, Addr: r.Addr}
		all = append(all, rm)
		if slices.Contains(last, rm) {
			known = append(known, rm)
		}
		switch r.State {
		case Up:
			up = append(up, rm)
		case Draining:
			draining = append(draining, rm)
		}
		if !r.Leaving {
			staying = append(staying, rm)
		}
		decided = decided && r.State != Unknown
	}
	switch {
	case len(up) > 0 && (decided || !open):
		return up, false
	case !decided && len(known) > 0:
		return known, true
	case !decided:
		return up, false
	}
	for _, members := range [][]RingMember{draining, staying, all} {
		if len(members) > 0 {
			return members, true
		}
	}
	return nil, false
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
