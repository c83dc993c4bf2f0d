package route

import (
	"hash/maphash"
	"math/bits"
	"slices"
	"strings"
)

// names is a persistent map from texts to values: a hash array mapped trie made for few
// misses of the cache. What tells a name from others lies beside its value, in one array
// of its node. The zero value is empty. Copies of it stay what they are, but for an owner
// (see owner).
type names[V any] struct {
	seed maphash.Seed // set with the first name
	root *nameNode[V]
	n    int
}

// nameNode has a leaf or a subtree for each value of the next bits of a hash that occurs.
type nameNode[V any] struct {
	leafBits, subBits uint64
	leaves            []named[V] // in the order of their bits, as subs are
	subs              []*nameNode[V]
	by                *owner
}

type named[V any] struct {
	hash uint64
	name string
	val  V
}

// owner is who makes many changes of which only the last result is wanted. What it has
// made itself it changes in place. nil: nobody.
type owner struct{ _ byte } // not empty: each has an address of its own

const (
	nameBits = 6
	nameMask = 1<<nameBits - 1
)

func bitAt(hash uint64, level uint) uint64 { return 1 << (hash >> (level * nameBits) & nameMask) }

// place is where a bit is among those of a set, or where it would be.
func place(set, bit uint64) int { return bits.OnesCount64(set & (bit - 1)) }

func (m *names[V]) hash(name string) uint64 { return maphash.String(m.seed, name) }

// get returns the value of a name, or nil. It must not be changed.
func (m *names[V]) get(name string) *V {
	if m.root == nil {
		return nil
	}
	hash := m.hash(name)
	n := m.root
	for level := uint(0); ; level++ {
		bit := bitAt(hash, level)
		if n.leafBits&bit != 0 {
			l := &n.leaves[place(n.leafBits, bit)]
			if l.hash != hash || l.name != name {
				return nil
			}
			return &l.val
		}
		if n.subBits&bit == 0 {
			return nil
		}
		n = n.subs[place(n.subBits, bit)]
	}
}

// set returns the map with a value for a name. Of a new name it keeps a copy: what it is
// given may be a part of a whole object, all of which would stay in memory.
func (m names[V]) set(name string, val V, by *owner) names[V] {
	if m.root == nil {
		m.seed, m.root = maphash.MakeSeed(), &nameNode[V]{by: by}
	}
	l := named[V]{hash: m.hash(name), val: val}
	if m.get(name) == nil {
		l.name = strings.Clone(name)
		m.n++
	} else {
		l.name = name
	}
	if root := m.root.set(&l, 0, by); root != nil {
		m.root = root
		return m
	}
	// Two names have one hash, which will never be: another seed tells them apart.
	var anew names[V]
	m.root.each(func(l *named[V]) { anew = anew.set(l.name, l.val, by) })
	return anew.set(name, val, by)
}

// del returns the map without a name.
func (m names[V]) del(name string, by *owner) names[V] {
	if m.get(name) == nil {
		return m
	}
	if m.n--; m.n == 0 {
		return names[V]{}
	}
	m.root = m.root.del(m.hash(name), 0, by)
	return m
}

func (n *nameNode[V]) each(f func(*named[V])) {
	for i := range n.leaves {
		f(&n.leaves[i])
	}
	for _, s := range n.subs {
		s.each(f)
	}
}

// changeable is the node itself when the owner has made it, else a copy.
func (n *nameNode[V]) changeable(by *owner) *nameNode[V] {
	if by != nil && n.by == by {
		return n
	}
	return &nameNode[V]{n.leafBits, n.subBits, slices.Clone(n.leaves), slices.Clone(n.subs), by}
}

// set returns the node with a leaf; nil: there is another name with its hash.
func (n *nameNode[V]) set(l *named[V], level uint, by *owner) *nameNode[V] {
	bit := bitAt(l.hash, level)
	leaf, sub := place(n.leafBits, bit), place(n.subBits, bit)
	switch {
	case n.subBits&bit != 0:
		lower := n.subs[sub].set(l, level+1, by)
		if lower == nil {
			return nil
		}
		n = n.changeable(by)
		n.subs[sub] = lower
	case n.leafBits&bit == 0:
		n = n.changeable(by)
		n.leafBits |= bit
		n.leaves = inserted(n.leaves, leaf, *l)
	case n.leaves[leaf].hash != l.hash: // both go one level down
		lower := &nameNode[V]{leafBits: bitAt(n.leaves[leaf].hash, level+1), leaves: []named[V]{n.leaves[leaf]}, by: by}
		lower = lower.set(l, level+1, by)
		n = n.changeable(by)
		n.leafBits &^= bit
		n.leaves = removed(n.leaves, leaf)
		n.subBits |= bit
		n.subs = inserted(n.subs, sub, lower)
	case n.leaves[leaf].name != l.name:
		return nil
	default:
		l.name = n.leaves[leaf].name
		n = n.changeable(by)
		n.leaves[leaf] = *l
	}
	return n
}

// del returns the node without the leaf of a hash, which is there.
func (n *nameNode[V]) del(hash uint64, level uint, by *owner) *nameNode[V] {
	bit := bitAt(hash, level)
	leaf, sub := place(n.leafBits, bit), place(n.subBits, bit)
	n = n.changeable(by)
	if n.leafBits&bit != 0 {
		n.leafBits &^= bit
		n.leaves = removed(n.leaves, leaf)
		return n
	}
	lower := n.subs[sub].del(hash, level+1, by)
	if lower.subBits == 0 && len(lower.leaves) == 1 { // a leaf alone goes one level up
		n.subBits &^= bit
		n.subs = removed(n.subs, sub)
		n.leafBits |= bit
		n.leaves = inserted(n.leaves, leaf, lower.leaves[0])
		return n
	}
	n.subs[sub] = lower
	return n
}

// inserted returns a copy with one more at i, of no more memory than it needs.
func inserted[E any](list []E, i int, e E) []E {
	out := make([]E, len(list)+1)
	copy(out, list[:i])
	out[i] = e
	copy(out[i+1:], list[i:])
	return out
}

// removed returns a copy without the one at i; nil: there was no other.
func removed[E any](list []E, i int) []E {
	if len(list) == 1 {
		return nil
	}
	out := make([]E, len(list)-1)
	copy(out, list[:i])
	copy(out[i:], list[i+1:])
	return out
}
