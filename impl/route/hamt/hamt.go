// Package hamt owns a persistent map: a hash array mapped trie. Set and Delete
// return a new map that shares all but the path to the changed key with the
// old one, so a change costs O(log32 n) and old versions stay valid. Every Map value is
// safe for concurrent use; many changes that nobody sees until they are done may share
// an Edit, and then copy each node once.
package hamt

import (
	"hash/maphash"
	"iter"
	"math/bits"
)

const (
	fanBits = 5
	fanMask = 1<<fanBits - 1
	// levels is how deep one hash reaches; below, keys are hashed anew.
	levels = 64 / fanBits
)

// Map is an immutable map. The zero Map is empty and ready for use.
type Map[K comparable, V any] struct {
	seed maphash.Seed // set with the first key: keys of one map share it
	root *node[K, V]  // nil: empty
	n    int
}

// node has a place for each of 32 values of a part of the hash: empty, a leaf, or a node
// below.
type node[K comparable, V any] struct {
	edit        Edit // what may change it in place, with marks
	here, below uint32
	leaves      []leaf[K, V]  // one for each bit of here, in the order of the bits
	nodes       []*node[K, V] // one for each bit of below
}

// leaf holds no hash: memory of every key against a few that are hashed again.
type leaf[K comparable, V any] struct {
	key K
	val V
}

// Len returns the number of keys.
func (m Map[K, V]) Len() int { return m.n }

// Get returns the value of a key.
func (m Map[K, V]) Get(k K) (v V, ok bool) {
	if m.root == nil {
		return v, false
	}
	at := m.begin(k)
	for n := m.root; ; at = m.deeper(at, k) {
		switch bit := at.bit(); {
		case n.here&bit != 0:
			if l := &n.leaves[index(n.here, bit)]; l.key == k {
				return l.val, true
			}
			return v, false
		case n.below&bit != 0:
			n = n.nodes[index(n.below, bit)]
		default:
			return v, false
		}
	}
}

// All yields keys and values in no particular order.
func (m Map[K, V]) All() iter.Seq2[K, V] {
	return func(yield func(K, V) bool) { m.root.each(yield) }
}

func (n *node[K, V]) each(yield func(K, V) bool) bool {
	if n == nil {
		return true
	}
	for i := range n.leaves {
		if l := &n.leaves[i]; !yield(l.key, l.val) {
			return false
		}
	}
	for _, kid := range n.nodes {
		if !kid.each(yield) {
			return false
		}
	}
	return true
}

// index is where in its array the element of a bit is, or would be.
func index(bitmap, bit uint32) int { return bits.OnesCount32(bitmap & (bit - 1)) }

// place is how far down the way of a key is gone: what is left of its hash, and the level.
type place struct {
	hash  uint64
	level uint
}

func (p place) bit() uint32 { return 1 << (p.hash & fanMask) }

func (m *Map[K, V]) begin(k K) place { return place{hash: maphash.Comparable(m.seed, k)} }

func (m *Map[K, V]) deeper(p place, k K) place {
	p.hash >>= fanBits
	if p.level++; p.level%levels == 0 {
		p.hash = m.again(k, p.level)
	}
	return p
}

// again is another hash for keys whose first ones are equal as far as they reach.
func (m *Map[K, V]) again(k K, level uint) uint64 {
	return maphash.Comparable(m.seed, struct {
		k     K
		level uint
	}{k, level})
}

// at is the place of a key at some level.
func (m *Map[K, V]) at(k K, level uint) place {
	if level < levels {
		return place{maphash.Comparable(m.seed, k) >> (fanBits * level), level}
	}
	return place{m.again(k, level-level%levels) >> (fanBits * (level % levels)), level}
}
