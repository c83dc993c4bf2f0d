package route

import (
	"math/bits"
	"slices"
	"strings"

	"github.com/unilb/unilb/impl/route/hamt"
)

// split returns a branch of the first n bytes of the label, on which the old one is the
// only kid.
func (b *branch[T]) split(n int, in hamt.Edit) *branch[T] {
	lower := b.changeable(in)
	upper := &branch[T]{label: lower.label[:n], kids: []paths[T]{{branch: lower}}, n: lower.n, edit: in}
	c := lower.label[n]
	upper.bytes[c/64] = 1 << (c % 64)
	lower.label = lower.label[n+1:]
	return upper
}

// grown makes a branch of a list that is too long. Labels are copies: what they are parts
// of are parts of whole objects.
func grown[T any](list []entry[T], depth int, in hamt.Edit) paths[T] {
	if len(list) <= few {
		return paths[T]{list: list}
	}
	label := list[0].key()[depth:]
	for i := range list {
		label = label[:commonLen(label, list[i].key()[depth:])]
	}
	b := &branch[T]{label: strings.Clone(label), n: len(list), edit: in}
	depth += len(label)
	for i := range list { // in their order, which each part keeps
		e := &list[i]
		if int(e.size) == depth {
			b.here = append(b.here, *e)
			continue
		}
		c := e.key()[depth]
		at, there := b.at(c)
		if !there {
			b.bytes[c/64] |= 1 << (c % 64)
			b.kids = hamt.Inserted(b.kids, at, paths[T]{})
		}
		b.kids[at].list = append(b.kids[at].list, *e)
	}
	b.here = slices.Clip(b.here)
	return paths[T]{branch: b}
}

// shrunk returns what a branch is after a change: a list again when it is short, and no
// branch that only leads to another.
func (b *branch[T]) shrunk() paths[T] {
	if b.n <= few/2 {
		list := make([]entry[T], 0, b.n)
		b.each(func(e *entry[T]) { list = append(list, *e) })
		slices.SortFunc(list, func(x, y entry[T]) int { return order(&x, &y) })
		return paths[T]{list: list}
	}
	if len(b.here) > 0 || len(b.kids) > 1 {
		return paths[T]{branch: b}
	}
	only := b.kids[0]
	if only.branch == nil {
		return only
	}
	lower := only.branch.changeable(b.edit)
	lower.label = b.label + string(b.lowest()) + lower.label
	return paths[T]{branch: lower}
}

// lowest is the first of the bytes.
func (b *branch[T]) lowest() []byte {
	for i, word := range b.bytes {
		if word != 0 {
			return []byte{byte(64*i + bits.TrailingZeros64(word))}
		}
	}
	return nil
}

func commonLen(a, b string) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}
