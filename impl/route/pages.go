package route

import (
	"math/bits"
	"slices"

	"github.com/unilb/unilb/impl/route/hamt"
)

// spread makes a table of one page of a list that has become long.
func (m *names[V]) spread(in hamt.Edit) {
	p := &page[V]{edit: in}
	for _, l := range m.few {
		list := &p.lists[l.hash%pageLists]
		*list = hamt.Inserted(*list, len(*list), l)
	}
	m.few, m.pages, m.chunks, m.edit = nil, 1, []*chunk[V]{{edit: in}}, in
	m.chunks[0].pages[0] = p
}

// gather is the reverse.
func (m *names[V]) gather() {
	few := slices.Concat(m.at(0).lists[:]...)
	m.few, m.pages, m.chunks, m.edit = few, 0, nil, 0
}

// split adds a page: it gets those names of another whose hashes have one bit more.
func (m *names[V]) split(in hamt.Edit) {
	from, bit := m.twin(m.pages)
	low, high := &page[V]{edit: in}, &page[V]{edit: in}
	for i, list := range m.at(from).lists {
		low.lists[i], high.lists[i] = parted(list, bit)
	}
	if m.pages%chunkPages == 0 {
		m.chunks, m.edit = hamt.Inserted(m.chunks, len(m.chunks), &chunk[V]{edit: in}), in
	}
	*m.slot(in, from) = low
	*m.slot(in, m.pages) = high
	m.pages++
}

// merge is the reverse, with the last page.
func (m *names[V]) merge(in hamt.Edit) {
	m.pages--
	from, _ := m.twin(m.pages)
	both := &page[V]{edit: in}
	low, high := m.at(from), m.at(m.pages)
	for i := range both.lists {
		both.lists[i] = joined(low.lists[i], high.lists[i])
	}
	*m.slot(in, from) = both
	if m.pages%chunkPages == 0 {
		m.chunks, m.edit = hamt.Removed(m.chunks, len(m.chunks)-1), in
	} else {
		*m.slot(in, m.pages) = nil
	}
}

// twin is the page that the i-th is split from, and the bit of a hash that says which.
func (m *names[V]) twin(i int) (from int, bit uint64) {
	top := 1 << (bits.Len(uint(i)) - 1)
	return i - top, uint64(top) * pageLists
}

// parted are the names of a list whose hashes lack a bit, and those that have it.
func parted[V any](list []named[V], bit uint64) (without, with []named[V]) {
	n := 0
	for i := range list {
		if list[i].hash&bit != 0 {
			n++
		}
	}
	switch n {
	case 0:
		return list, nil
	case len(list):
		return nil, list
	}
	without, with = make([]named[V], 0, len(list)-n), make([]named[V], 0, n)
	for i := range list {
		if l := list[i]; l.hash&bit != 0 {
			with = append(with, l)
		} else {
			without = append(without, l)
		}
	}
	return without, with
}

func joined[V any](a, b []named[V]) []named[V] {
	switch {
	case len(a) == 0:
		return b
	case len(b) == 0:
		return a
	}
	return slices.Concat(a, b)
}
