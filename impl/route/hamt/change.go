package hamt

import (
	"hash/maphash"
	"slices"
	"sync/atomic"
)

// An Edit is a number of changes of maps that belong together: nodes that one of them
// made are changed in place by the next. Of the maps that SetIn and DeleteIn return for one
// Edit only the last of each line may be used, until the Edit is over. The zero Edit is none:
// every change makes a map of its own.
type Edit uint64

// Marks of a node below its Edit: which arrays are its own, and not shared with the node
// that it is a copy of.
const (
	ownLeaves Edit = 1 << iota
	ownNodes

	marks = ownLeaves | ownNodes
)

var edits atomic.Uint64

// Begin returns a new Edit. It is over when nobody uses it any more: maps that were
// made by it are then as immutable as all others.
func Begin() Edit { return Edit(edits.Add(1)) * (marks + 1) }

// Set returns the map with the key set.
func (m Map[K, V]) Set(k K, v V) Map[K, V] { return m.SetIn(0, k, v) }

// Delete returns the map without the key.
func (m Map[K, V]) Delete(k K) Map[K, V] { return m.DeleteIn(0, k) }

// SetIn is Set as a part of an edit, which may have changed m.
func (m Map[K, V]) SetIn(e Edit, k K, v V) Map[K, V] {
	if m.root == nil {
		m.seed, m.root = maphash.MakeSeed(), &node[K, V]{edit: e}
	}
	added := false
	m.root = m.set(e, m.root, m.begin(k), leaf[K, V]{k, v}, &added)
	if added {
		m.n++
	}
	return m
}

// DeleteIn is Delete as a part of an edit, which may have changed m.
func (m Map[K, V]) DeleteIn(e Edit, k K) Map[K, V] {
	if _, ok := m.Get(k); !ok {
		return m
	}
	m.root = m.del(e, m.root, m.begin(k), k)
	m.n--
	return m
}

func (m *Map[K, V]) set(e Edit, n *node[K, V], at place, l leaf[K, V], added *bool) *node[K, V] {
	bit := at.bit()
	switch {
	case n.below&bit != 0:
		i := index(n.below, bit)
		old := n.nodes[i]
		return n.withKid(e, i, old, m.set(e, old, m.deeper(at, l.key), l, added))
	case n.here&bit == 0:
		*added = true
		return n.insert(e, bit, l)
	}
	i := index(n.here, bit)
	there := n.leaves[i]
	if there.key == l.key {
		n = n.own(e)
		if n.edit&ownLeaves == 0 {
			n.setLeaves(slices.Clone(n.leaves))
		}
		n.leaves[i] = l // the key as well: the old one may keep something in memory
		return n
	}
	// Two keys in one place: both go one level down.
	*added = true
	return n.lower(e, bit, m.both(e, m.deeper(at, l.key), l, there))
}

// both is a node of two leaves.
func (m *Map[K, V]) both(e Edit, at place, a, b leaf[K, V]) *node[K, V] {
	n := &node[K, V]{edit: e}
	bit, other := at.bit(), m.at(b.key, at.level).bit()
	switch {
	case bit == other:
		n.below = bit
		n.setNodes([]*node[K, V]{m.both(e, m.deeper(at, a.key), a, b)})
		return n
	case other < bit:
		a, b = b, a
	}
	n.here = bit | other
	n.setLeaves([]leaf[K, V]{a, b})
	return n
}

// del removes a key that is there. It returns nil when nothing is left.
func (m *Map[K, V]) del(e Edit, n *node[K, V], at place, k K) *node[K, V] {
	bit := at.bit()
	if n.here&bit != 0 {
		if n.here == bit && n.below == 0 {
			return nil
		}
		return n.remove(e, bit)
	}
	i := index(n.below, bit)
	old := n.nodes[i]
	kid := m.del(e, old, m.deeper(at, k), k) // not nil: no node but the root has a single leaf and nothing below
	if kid.below == 0 && kid.here&(kid.here-1) == 0 {
		return n.raise(e, bit, kid.leaves[0])
	}
	return n.withKid(e, i, old, kid)
}

// own is the node itself when the edit made it, else a copy, whose arrays are shared:
// whoever changes one of them copies it.
func (n *node[K, V]) own(e Edit) *node[K, V] {
	if e != 0 && n.edit&^marks == e {
		return n
	}
	c := *n
	c.edit = e
	return &c
}

// setLeaves and setNodes give the node an array of its own.
func (n *node[K, V]) setLeaves(all []leaf[K, V]) { n.leaves, n.edit = all, n.edit|ownLeaves }
func (n *node[K, V]) setNodes(all []*node[K, V]) { n.nodes, n.edit = all, n.edit|ownNodes }

func (n *node[K, V]) withKid(e Edit, i int, old, kid *node[K, V]) *node[K, V] {
	if kid == old {
		return n // changed in place
	}
	n = n.own(e)
	if n.edit&ownNodes == 0 {
		n.setNodes(slices.Clone(n.nodes))
	}
	n.nodes[i] = kid
	return n
}

func (n *node[K, V]) insert(e Edit, bit uint32, l leaf[K, V]) *node[K, V] {
	n = n.own(e)
	all := Inserted(n.leaves, index(n.here, bit), l)
	n.here |= bit
	n.setLeaves(all)
	return n
}

func (n *node[K, V]) remove(e Edit, bit uint32) *node[K, V] {
	n = n.own(e)
	all := Removed(n.leaves, index(n.here, bit))
	n.here &^= bit
	n.setLeaves(all)
	return n
}

// lower puts a node in the place of a leaf, raise a leaf in that of a node.
func (n *node[K, V]) lower(e Edit, bit uint32, kid *node[K, V]) *node[K, V] {
	n = n.remove(e, bit)
	all := Inserted(n.nodes, index(n.below, bit), kid)
	n.below |= bit
	n.setNodes(all)
	return n
}

func (n *node[K, V]) raise(e Edit, bit uint32, l leaf[K, V]) *node[K, V] {
	n = n.insert(e, bit, l)
	all := Removed(n.nodes, index(n.below, bit))
	n.below &^= bit
	n.setNodes(all)
	return n
}
