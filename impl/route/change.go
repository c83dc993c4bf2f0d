package route

import (
	"slices"
	"sort"

	"github.com/unilb/unilb/impl/route/hamt"
)

// change is made at one key: of the rule old the entry with the pattern goes, and next
// comes; either may be nil.
type change[T any] struct {
	key, pattern string
	old          *Rule[T]
	next         *entry[T]
	in           hamt.Edit
}

// replacing are the changes that put entries in the place of those of the rule old.
func replacing[T any](old *Rule[T], entries []entry[T], router Router, in hamt.Edit) []change[T] {
	var out []change[T]
	if old != nil {
		for _, pattern := range unique(old.Paths) {
			if !slices.ContainsFunc(entries, func(e entry[T]) bool { return e.pattern == pattern }) {
				key, _, _ := router.splitPattern(pattern)
				out = append(out, change[T]{key: key, pattern: pattern, old: old, in: in})
			}
		}
	}
	for i := range entries {
		e := &entries[i]
		out = append(out, change[T]{key: e.key(), pattern: e.pattern, old: old, next: e, in: in})
	}
	return out
}

// apply returns the list after the change, of no more memory than it needs.
func (d *change[T]) apply(list []entry[T]) []entry[T] {
	gone := slices.IndexFunc(list, func(e entry[T]) bool { return e.rule == d.old && e.pattern == d.pattern })
	switch {
	case d.next == nil && gone < 0:
		return list
	case d.next == nil:
		return hamt.Removed(list, gone)
	case gone >= 0:
		list = slices.Delete(slices.Clone(list), gone, gone+1)
		return slices.Insert(list, d.place(list), *d.next)
	}
	return hamt.Inserted(list, d.place(list), *d.next)
}

// place is where the new entry belongs.
func (d *change[T]) place(list []entry[T]) int {
	return sort.Search(len(list), func(i int) bool { return order(d.next, &list[i]) < 0 })
}

// with returns the paths after a change. The first depth bytes of its key have led here.
func (p paths[T]) with(d *change[T], depth int) paths[T] {
	if p.branch == nil {
		return grown(d.apply(p.list), depth, d.in)
	}
	if n := commonLen(d.key[depth:], p.branch.label); n < len(p.branch.label) {
		if d.next == nil {
			return p
		}
		p.branch = p.branch.split(n, d.in)
	}
	b := p.branch.changeable(d.in)
	if depth += len(b.label); depth == len(d.key) {
		b.n -= len(b.here)
		b.here = d.apply(b.here)
		b.n += len(b.here)
	} else {
		b.changeKid(d, depth)
	}
	return b.shrunk()
}

// changeKid makes a change to the kid that the key goes on with at a depth.
func (b *branch[T]) changeKid(d *change[T], depth int) {
	c := d.key[depth]
	i, there := b.at(c)
	var kid paths[T]
	if there {
		kid = b.kids[i]
	}
	b.n -= kid.size()
	kid = kid.with(d, depth+1)
	b.n += kid.size()
	switch {
	case !there && !kid.empty():
		b.bytes[c/64] |= 1 << (c % 64)
		b.kids = hamt.Inserted(b.kids, i, kid)
	case there && kid.empty():
		b.bytes[c/64] &^= 1 << (c % 64)
		b.kids = hamt.Removed(b.kids, i)
	case there:
		b.kids[i] = kid
	}
}

func (b *branch[T]) changeable(in hamt.Edit) *branch[T] {
	if in != 0 && b.edit == in {
		return b
	}
	c := *b
	c.kids, c.edit = slices.Clone(b.kids), in
	return &c
}
