package route

import (
	"math/bits"
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
