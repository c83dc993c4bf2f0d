// Package balance owns the choice of a target. It is pure: what is usable and
// what was tried comes in, an index goes out. A RoundRobin is one position and
// belongs to one loop: it is not safe for concurrent use. Loops do not share
// positions; they start at different offsets, so that together they spread as
// evenly as one.
package balance

import "slices"

// Member is one target as the choice sees it.
type Member struct {
	// Weight is the share of the target; 0: no traffic.
	Weight int
	// Priority: members of the highest priority that has a usable member
	// share the traffic, the others wait.
	Priority int
}

// Usable tells which members are healthy, by index.
type Usable interface{ Usable(i int) bool }

// RoundRobin is smooth weighted round robin: a member of weight w out of a sum
// of s is chosen w times in any s choices in a row, spread as evenly as
// integers allow (APISIX sends the shares in bursts; counts are the same).
type RoundRobin struct {
	members []Member
	current []int64
	levels  []int // distinct priorities of members with weight, descending
}

// NewRoundRobin returns a position for the members, which must not change
// afterwards. The first choices are those after offset earlier ones.
func NewRoundRobin(members []Member, offset uint64) *RoundRobin {
	r := &RoundRobin{members: members, current: make([]int64, len(members))}
	var sum uint64
	for _, m := range members {
		if m.Weight > 0 {
			sum += uint64(m.Weight)
			r.addLevel(m.Priority)
		}
	}
	if sum > 0 && len(members) > 1 {
		for range offset % min(sum, maxSkip) {
			r.Pick(nil, &Tried{})
		}
	}
	return r
}

// Clone returns a position at the same place, which moves by itself.
func (r *RoundRobin) Clone() *RoundRobin {
	c := *r
	c.current = slices.Clone(r.current)
	return &c
}

// maxSkip limits the work to reach a start offset, in choices.
const maxSkip = 64

func (r *RoundRobin) addLevel(p int) {
	i := 0
	for i < len(r.levels) && r.levels[i] > p {
		i++
	}
	if i < len(r.levels) && r.levels[i] == p {
		return
	}
	r.levels = append(r.levels, 0)
	copy(r.levels[i+1:], r.levels[i:])
	r.levels[i] = p
}

// Pick returns the index of the next target, or false when there is nothing
// left to try. A nil usable means all are healthy. As in APISIX:
//
//   - a single member is chosen always, whatever its weight and health, also
//     again after it was tried;
//   - when no member with weight is healthy, health is ignored: a gateway that
//     is wrong about all targets must not make the outage;
//   - a member that was tried for this request is not chosen again.
func (r *RoundRobin) Pick(usable Usable, tried *Tried) (int, bool) {
	if len(r.members) == 1 {
		return 0, true
	}
	if usable != nil && !r.anyUsable(usable) {
		usable = nil
	}
	for _, level := range r.levels {
		if i := r.pickLevel(level, usable, tried); i >= 0 {
			return i, true
		}
	}
	return 0, false
}

func (r *RoundRobin) anyUsable(u Usable) bool {
	for i, m := range r.members {
		if m.Weight > 0 && u.Usable(i) {
			return true
		}
	}
	return false
}

// pickLevel does one step of smooth round robin among the members of a level
// that may be chosen. The others keep their position.
func (r *RoundRobin) pickLevel(level int, usable Usable, tried *Tried) int {
	best, sum := -1, int64(0)
	for i, m := range r.members {
		if m.Weight <= 0 || m.Priority != level || tried.Has(i) || usable != nil && !usable.Usable(i) {
			continue
		}
		sum += int64(m.Weight)
		r.current[i] += int64(m.Weight)
		if best < 0 || r.current[i] > r.current[best] {
			best = i
		}
	}
	if best >= 0 {
		r.current[best] -= sum
	}
	return best
}

// Tried is the set of members that a request has tried. The zero set is empty.
type Tried struct {
	low  uint64
	high map[int]struct{} // from 64 on: rare, so it may cost an allocation
}

// Add adds a member.
func (t *Tried) Add(i int) {
	if i < 64 {
		t.low |= 1 << uint(i)
		return
	}
	if t.high == nil {
		t.high = make(map[int]struct{})
	}
	t.high[i] = struct{}{}
}

// Has tells whether a member is in the set.
func (t *Tried) Has(i int) bool {
	if i < 64 {
		return t.low&(1<<uint(i)) != 0
	}
	_, ok := t.high[i]
	return ok
}
