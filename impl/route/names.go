package route

import (
	"hash/maphash"
	"iter"
	"math/bits"
	"slices"

	"github.com/unilb/unilb/impl/route/hamt"
)

// names is a persistent map from names of hosts to what they lead to: a table of short
// lists, in pages so that a change copies little of it. A trie finds a name in more steps,
// and each waits for memory. While there are few names they are one list. The zero value
// is empty. Copies of it stay what they are, but within an edit (see hamt.Edit).
//
// The table grows and shrinks by a page (linear hashing): no change pays for all names.
type names[V any] struct {
	seed   maphash.Seed // set with the first name
	n      int
	few    []named[V]
	pages  int // 0 while there are few names
	chunks []*chunk[V]
	edit   hamt.Edit // what may change chunks in place
}

// chunk is a part of the list of pages.
type chunk[V any] struct {
	pages [chunkPages]*page[V]
	edit  hamt.Edit // what may change them in place
}

type page[V any] struct {
	lists [pageLists][]named[V]
	edit  hamt.Edit // what may change the lists in place
}

type named[V any] struct {
	hash uint64
	name string
	val  V
}

const (
	// fewNames are at most in one list, which is searched from its beginning.
	fewNames   = 16
	pageLists  = 16
	chunkPages = 64
	// A list has at most so many names on average, before there is another page: those
	// of pages that are still to be split up to twice as many, of others as few as half.
	mostOfList = 3
)

// get returns the value of a name, or nil. It must not be changed.
func (m *names[V]) get(name string) *V {
	if m.n == 0 {
		return nil
	}
	hash := maphash.String(m.seed, name)
	list := m.few
	if m.pages > 0 {
		list = m.at(m.page(hash)).lists[hash%pageLists]
	}
	if i := find(list, hash, name); i >= 0 {
		return &list[i].val
	}
	return nil
}

func find[V any](list []named[V], hash uint64, name string) int {
	for i := range list {
		if l := &list[i]; l.hash == hash && l.name == name {
			return i
		}
	}
	return -1
}

// page is the number of that with a hash. As many bits of it count as the last page has,
// one less where that names a page that is still to come.
func (m *names[V]) page(hash uint64) int {
	mask := 1<<bits.Len(uint(m.pages-1)) - 1
	i := int(hash/pageLists) & mask
	if i >= m.pages {
		i &= mask >> 1
	}
	return i
}

func (m *names[V]) at(page int) *page[V] { return m.chunks[page/chunkPages].pages[page%chunkPages] }

// set returns the map with a value for a name, whose text it keeps from now on: it comes
// with the value, and may lie beside what that has.
func (m names[V]) set(in hamt.Edit, name string, val V) names[V] {
	if m.n == 0 {
		m.seed = maphash.MakeSeed()
	}
	hash := maphash.String(m.seed, name)
	list := m.changeable(in, hash)
	if i := find(*list, hash, name); i >= 0 {
		*list = slices.Clone(*list)
		(*list)[i] = named[V]{hash, name, val}
		return m
	}
	*list = hamt.Inserted(*list, len(*list), named[V]{hash, name, val})
	m.n++
	switch {
	case m.pages == 0 && m.n > fewNames:
		m.spread(in)
	case m.pages > 0 && m.n > mostOfList*pageLists*m.pages:
		m.split(in)
	}
	return m
}

// del returns the map without a name.
func (m names[V]) del(in hamt.Edit, name string) names[V] {
	if m.get(name) == nil {
		return m
	}
	hash := maphash.String(m.seed, name)
	list := m.changeable(in, hash)
	*list = hamt.Removed(*list, find(*list, hash, name))
	m.n--
	switch {
	case m.n == 0:
		return names[V]{}
	case m.pages == 1 && m.n <= fewNames/2:
		m.gather()
	case m.pages > 1 && m.n < pageLists*m.pages:
		m.merge(in)
	}
	return m
}

// changeable returns the list of a hash, to be replaced by another.
func (m *names[V]) changeable(in hamt.Edit, hash uint64) *[]named[V] {
	if m.pages == 0 {
		return &m.few
	}
	p := m.slot(in, m.page(hash))
	if in == 0 || (*p).edit != in {
		*p = &page[V]{(*p).lists, in}
	}
	return &(*p).lists[hash%pageLists]
}

// slot is where a page is kept, for another in its place.
func (m *names[V]) slot(in hamt.Edit, i int) **page[V] {
	if in == 0 || m.edit != in {
		m.chunks, m.edit = slices.Clone(m.chunks), in
	}
	c := &m.chunks[i/chunkPages]
	if in == 0 || (*c).edit != in {
		*c = &chunk[V]{(*c).pages, in}
	}
	return &(*c).pages[i%chunkPages]
}

// all yields the names in no particular order.
func (m *names[V]) all() iter.Seq[*named[V]] {
	return func(yield func(*named[V]) bool) {
		each := func(list []named[V]) bool {
			for i := range list {
				if !yield(&list[i]) {
					return false
				}
			}
			return true
		}
		if !each(m.few) {
			return
		}
		for i := range m.pages {
			for _, list := range m.at(i).lists {
				if !each(list) {
					return
				}
			}
		}
	}
}
