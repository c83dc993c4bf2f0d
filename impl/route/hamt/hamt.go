// Package hamt owns a persistent map: a hash array mapped trie. Set and Delete
// return a new map that shares all but the path to the changed key with the
// old one, so a change costs O(log32 n) and old versions stay valid. It never
// changes a map in place: every Map value is safe for concurrent use.
package hamt

import (
	"hash/maphash"
	"iter"
	"math/bits"
	"slices"
)

const (
	fanBits = 5
	fanMask = 1<<fanBits - 1
)

// Map is an immutable map. The zero Map is empty and ready for use.
type Map[K comparable, V any] struct {
	seed maphash.Seed // set with the first key: keys of one map share it
	root *node[K, V]
	n    int
}

// node has one kid for each set bit of the bitmap, in the order of the bits.
type node[K comparable, V any] struct {
	bitmap uint32
	kids   []kid[K, V]
}

// kid is a subtree or a leaf; leaves with one hash are chained.
type kid[K comparable, V any] struct {
	sub  *node[K, V]
	leaf *leaf[K, V]
}

// leaf holds no hash: memory of every key against a few that are hashed again.
type leaf[K comparable, V any] struct {
	key  K
	val  V
	next *leaf[K, V]
}

// Len returns the number of keys.
func (m Map[K, V]) Len() int { return m.n }

func (m Map[K, V]) hash(k K) uint64 { return maphash.Comparable(m.seed, k) }

// Get returns the value of a key.
func (m Map[K, V]) Get(k K) (v V, ok bool) {
	if m.root == nil {
		return v, false
	}
	h := m.hash(k)
	for n, shift := m.root, uint(0); ; shift += fanBits {
		i, ok := n.index(h, shift)
		if !ok {
			return v, false
		}
		if n.kids[i].sub == nil {
			for l := n.kids[i].leaf; l != nil; l = l.next {
				if l.key == k {
					return l.val, true
				}
			}
			return v, false
		}
		n = n.kids[i].sub
	}
}

// Set returns the map with the key set.
func (m Map[K, V]) Set(k K, v V) Map[K, V] {
	if m.root == nil {
		m.seed, m.root = maphash.MakeSeed(), &node[K, V]{}
	}
	added := false
	m.root = m.root.set(m.hash, m.hash(k), &leaf[K, V]{key: k, val: v}, 0, &added)
	if added {
		m.n++
	}
	return m
}

// Delete returns the map without the key.
func (m Map[K, V]) Delete(k K) Map[K, V] {
	if _, ok := m.Get(k); !ok {
		return m
	}
	m.root = m.root.del(m.hash(k), k, 0)
	if m.n--; m.n == 0 {
		m.root = nil
	}
	return m
}

// All yields keys and values in no particular order.
func (m Map[K, V]) All() iter.Seq2[K, V] {
	return func(yield func(K, V) bool) {
		if m.root != nil {
			m.root.each(yield)
		}
	}
}

func (n *node[K, V]) each(yield func(K, V) bool) bool {
	for _, c := range n.kids {
		if c.sub != nil {
			if !c.sub.each(yield) {
				return false
			}
			continue
		}
		for l := c.leaf; l != nil; l = l.next {
			if !yield(l.key, l.val) {
				return false
			}
		}
	}
	return true
}

// index returns where the kid for the hash is, or where it would be.
func (n *node[K, V]) index(h uint64, shift uint) (int, bool) {
	bit := uint32(1) << (h >> shift & fanMask)
	return bits.OnesCount32(n.bitmap & (bit - 1)), n.bitmap&bit != 0
}

func (n *node[K, V]) with(i int, c kid[K, V]) *node[K, V] {
	kids := slices.Clone(n.kids)
	kids[i] = c
	return &node[K, V]{n.bitmap, kids}
}

// inserted returns a copy with c at i, of no more memory than it needs.
func inserted[K comparable, V any](kids []kid[K, V], i int, c kid[K, V]) []kid[K, V] {
	out := make([]kid[K, V], len(kids)+1)
	copy(out, kids[:i])
	out[i] = c
	copy(out[i+1:], kids[i:])
	return out
}

func (n *node[K, V]) set(hash func(K) uint64, h uint64, l *leaf[K, V], shift uint, added *bool) *node[K, V] {
	i, ok := n.index(h, shift)
	if !ok {
		*added = true
		bit := uint32(1) << (h >> shift & fanMask)
		return &node[K, V]{n.bitmap | bit, inserted(n.kids, i, kid[K, V]{leaf: l})}
	}
	c := n.kids[i]
	if c.sub != nil {
		return n.with(i, kid[K, V]{sub: c.sub.set(hash, h, l, shift+fanBits, added)})
	}
	there := h
	if c.leaf.key != l.key {
		there = hash(c.leaf.key)
	}
	if there == h {
		rest := without(c.leaf, l.key)
		*added = chainLen(rest) == chainLen(c.leaf)
		l.next = rest
		return n.with(i, kid[K, V]{leaf: l})
	}
	// Two hashes in one place: push the old leaf one level down.
	sub := &node[K, V]{uint32(1) << (there >> (shift + fanBits) & fanMask), []kid[K, V]{c}}
	return n.with(i, kid[K, V]{sub: sub.set(hash, h, l, shift+fanBits, added)})
}

func (n *node[K, V]) del(h uint64, k K, shift uint) *node[K, V] {
	i, _ := n.index(h, shift) // the caller has seen the key
	c := n.kids[i]
	if c.sub != nil {
		sub := c.sub.del(h, k, shift+fanBits)
		if sub == nil {
			return n.drop(i)
		}
		// A node of one leaf collapses, so that shape follows content.
		if len(sub.kids) == 1 && sub.kids[0].sub == nil {
			return n.with(i, sub.kids[0])
		}
		return n.with(i, kid[K, V]{sub: sub})
	}
	if rest := without(c.leaf, k); rest != nil {
		return n.with(i, kid[K, V]{leaf: rest})
	}
	return n.drop(i)
}

func (n *node[K, V]) drop(i int) *node[K, V] {
	if len(n.kids) == 1 {
		return nil
	}
	b := n.bitmap
	for range i {
		b &= b - 1
	}
	return &node[K, V]{n.bitmap &^ (b & -b), slices.Concat(n.kids[:i], n.kids[i+1:])}
}

// without returns the chain without the key; what follows it is shared.
func without[K comparable, V any](l *leaf[K, V], k K) *leaf[K, V] {
	if l == nil {
		return nil
	}
	if l.key == k {
		return l.next
	}
	rest := without(l.next, k)
	if rest == l.next {
		return l
	}
	return &leaf[K, V]{l.key, l.val, rest}
}

func chainLen[K comparable, V any](l *leaf[K, V]) (n int) {
	for ; l != nil; l = l.next {
		n++
	}
	return n
}
