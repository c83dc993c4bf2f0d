package route

import (
	"math/bits"
	"slices"
	"sort"
	"strings"

	"github.com/unilb/unilb/impl/route/hamt"
)

// few is how many entries are kept as a list. A list is searched from its beginning in
// memory that lies together, which is one wait; a tree is one for each step.
const few = 16

// paths are the entries of one host: a list as long as they are few, else a branch. The
// zero value is empty. Copies of it stay what they are, but within an edit (see hamt.Edit).
type paths[T any] struct {
	list   []entry[T] // in their order
	branch *branch[T]
}

// branch is what paths have in common from a depth on, and how they go on behind it.
type branch[T any] struct {
	label string
	bytes [4]uint64  // the set of the next bytes
	kids  []paths[T] // one for each of these, in their order
	here  []entry[T] // those whose keys end behind the label, in their order
	n     int        // entries, those of kids too
	edit  hamt.Edit  // what may change it in place
}

// find returns the first entry that fits the path of a query and holds, or nil. The
// first depth bytes of the path have led here.
func (p *paths[T]) find(q *Query, depth int) *entry[T] {
	b := p.branch
	if b == nil {
		return first(p.list, q)
	}
	rest, ok := strings.CutPrefix(q.Path[depth:], b.label)
	if !ok {
		return nil
	}
	if rest != "" {
		if kid := b.kid(rest[0]); kid != nil { // what fits farther on is longer, and comes first
			if e := kid.find(q, len(q.Path)-len(rest)+1); e != nil {
				return e
			}
		}
	}
	return first(b.here, q)
}

func first[T any](list []entry[T], q *Query) *entry[T] {
	for i := range list {
		if e := &list[i]; e.fits(q.Path) && e.fails(q) == Holds {
			return e
		}
	}
	return nil
}

// all yields the entries that fit a path, those of the deepest branch first.
func (p *paths[T]) all(path string, depth int, yield func(*entry[T])) {
	list := p.list
	if b := p.branch; b != nil {
		rest, ok := strings.CutPrefix(path[depth:], b.label)
		if !ok {
			return
		}
		if rest != "" {
			if kid := b.kid(rest[0]); kid != nil {
				kid.all(path, len(path)-len(rest)+1, yield)
			}
		}
		list = b.here
	}
	for i := range list {
		if list[i].fits(path) {
			yield(&list[i])
		}
	}
}

// at tells where the kid of a byte is, or would be.
func (b *branch[T]) at(c byte) (i int, ok bool) {
	for _, word := range b.bytes[:c/64] {
		i += bits.OnesCount64(word)
	}
	bit := uint64(1) << (c % 64)
	return i + bits.OnesCount64(b.bytes[c/64]&(bit-1)), b.bytes[c/64]&bit != 0
}

func (b *branch[T]) kid(c byte) *paths[T] {
	i, ok := b.at(c)
	if !ok {
		return nil
	}
	return &b.kids[i]
}

func (p *paths[T]) empty() bool { return p.size() == 0 }

// size is the number of entries.
func (p *paths[T]) size() int {
	if p.branch != nil {
		return p.branch.n
	}
	return len(p.list)
}

// change is made at one key: of the rule old the entry with the pattern goes, and next
// comes; either may be nil.
type change[T any] struct {
	key, pattern string
	old          *Rule[T]
	next         *entry[T]
	in           hamt.Edit
}

// apply returns the list after the change, of no more memory than it needs.
func (d *change[T]) apply(list []entry[T]) []entry[T] {
	gone := slices.IndexFunc(list, func(e entry[T]) bool { return e.rule == d.old && e.pattern == d.pattern })
	switch {
	case d.next == nil && gone < 0:
		return list
	case d.next == nil:
		return removed(list, gone)
	case gone >= 0:
		list = slices.Delete(slices.Clone(list), gone, gone+1)
		return slices.Insert(list, d.place(list), *d.next)
	}
	return inserted(list, d.place(list), *d.next)
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
		b.kids = inserted(b.kids, i, kid)
	case there && kid.empty():
		b.bytes[c/64] &^= 1 << (c % 64)
		b.kids = removed(b.kids, i)
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
			b.kids = inserted(b.kids, at, paths[T]{})
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

func (b *branch[T]) each(f func(*entry[T])) {
	for i := range b.here {
		f(&b.here[i])
	}
	for _, k := range b.kids {
		k.each(f)
	}
}

func (p *paths[T]) each(f func(*entry[T])) {
	if p.branch != nil {
		p.branch.each(f)
		return
	}
	for i := range p.list {
		f(&p.list[i])
	}
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
