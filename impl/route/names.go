package route

import (
	"hash/maphash"
	"iter"
	"slices"
	"strings"

	"github.com/unilb/unilb/impl/route/hamt"
)

// names is a persistent map from names of hosts to what they lead to: a table of short
// lists, in pages so that a change copies little of it. A trie finds a name in more steps,
// and each waits for memory. While there are few names they are one list. The zero value
// is empty. Copies of it stay what they are, but within an edit (see hamt.Edit).
type names[V any] struct {
	seed  maphash.Seed // set with the first name
	n     int
	few   []named[V]
	pages []*page[V] // a power of two; nil while there are few
	edit  hamt.Edit  // what may change pages in place
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
	pageLists = 64
	// A list has at most so many names on average. Then there are twice as many lists.
	mostOfList = 4
)

// get returns the value of a name, or nil. It must not be changed.
func (m *names[V]) get(name string) *V {
	if m.n == 0 {
		return nil
	}
	hash := maphash.String(m.seed, name)
	list := m.few
	if m.pages != nil {
		list = m.pages[m.page(hash)].lists[hash%pageLists]
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

func (m *names[V]) page(hash uint64) int { return int(hash / pageLists & uint64(len(m.pages)-1)) }

// set returns the map with a value for a name. Of a new name it keeps a copy: what it is
// given may be a part of a whole object, all of which would stay in memory.
func (m names[V]) set(in hamt.Edit, name string, val V) names[V] {
	if m.n == 0 {
		m.seed = maphash.MakeSeed()
	}
	hash := maphash.String(m.seed, name)
	list := m.changeable(in, hash)
	if i := find(*list, hash, name); i >= 0 {
		*list = slices.Clone(*list)
		(*list)[i].val = val
		return m
	}
	*list = inserted(*list, len(*list), named[V]{hash, strings.Clone(name), val})
	m.n++
	switch {
	case m.pages == nil && m.n > few:
		m.resize(in, 1)
	case m.pages != nil && m.n > mostOfList*pageLists*len(m.pages):
		m.resize(in, 2*len(m.pages))
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
	*list = removed(*list, find(*list, hash, name))
	m.n--
	switch {
	case m.n == 0:
		return names[V]{}
	case len(m.pages) == 1 && m.n <= few/2:
		m.resize(in, 0)
	case len(m.pages) > 1 && m.n < pageLists*len(m.pages):
		m.resize(in, len(m.pages)/2)
	}
	return m
}

// changeable returns the list of a hash, to be replaced by another.
func (m *names[V]) changeable(in hamt.Edit, hash uint64) *[]named[V] {
	if m.pages == nil {
		return &m.few
	}
	i := m.page(hash)
	if in == 0 || m.edit != in {
		m.pages, m.edit = slices.Clone(m.pages), in
	}
	if p := m.pages[i]; in == 0 || p.edit != in {
		m.pages[i] = &page[V]{p.lists, in}
	}
	return &m.pages[i].lists[hash%pageLists]
}

// resize distributes the names to other pages, or to none.
func (m *names[V]) resize(in hamt.Edit, pages int) {
	old := *m
	m.few, m.pages, m.edit = nil, nil, in
	for range pages {
		m.pages = append(m.pages, &page[V]{edit: in})
	}
	for l := range old.all() {
		list := &m.few
		if pages > 0 {
			list = &m.pages[m.page(l.hash)].lists[l.hash%pageLists]
		}
		*list = inserted(*list, len(*list), *l)
	}
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
		for _, p := range m.pages {
			for i := range p.lists {
				if !each(p.lists[i]) {
					return
				}
			}
		}
	}
}
