package certs

import (
	"cmp"
	"slices"
	"strings"

	"github.com/unilb/unilb/impl/route/hamt"
)

// Table finds the certificate for a name. The zero Table is empty. Tables are
// immutable; With and Without return new ones at a cost that hardly depends on the
// number of certificates.
type Table struct {
	ids   hamt.Map[string, *Certificate]
	exact hamt.Map[string, []*Certificate] // by name, the oldest first
	below hamt.Map[string, []*Certificate] // by what follows the star
	// loose counts the names whose star is only the beginning of a label, and
	// mutual the certificates that demand something of clients: mostly there are
	// none, and nobody looks.
	loose, mutual int
}

// Len is the number of certificates.
func (t *Table) Len() int { return t.ids.Len() }

// With returns a table that has c, in the place of one with the same ID.
func (t *Table) With(c *Certificate) *Table {
	n := *t.Without(c.ID)
	n.ids = n.ids.Set(c.ID, c)
	n.count(c, 1)
	for _, name := range c.names {
		m, key := n.place(name)
		list, _ := m.Get(key)
		list = append(slices.Clip(list), c)
		slices.SortFunc(list, func(a, b *Certificate) int {
			return cmp.Or(cmp.Compare(a.age, b.age), strings.Compare(a.ID, b.ID))
		})
		*m = m.Set(key, list)
	}
	return &n
}

// Without returns a table that lacks a certificate.
func (t *Table) Without(id string) *Table {
	c, ok := t.ids.Get(id)
	if !ok {
		return t
	}
	n := *t
	n.ids = n.ids.Delete(id)
	n.count(c, -1)
	for _, name := range c.names {
		m, key := n.place(name)
		list, _ := m.Get(key)
		list = slices.DeleteFunc(slices.Clone(list), func(o *Certificate) bool { return o == c })
		if len(list) == 0 {
			*m = m.Delete(key)
		} else {
			*m = m.Set(key, list)
		}
	}
	return &n
}

func (t *Table) count(c *Certificate, by int) {
	if c.Client != nil {
		t.mutual += by
	}
	for _, name := range c.names {
		if rest, star := strings.CutPrefix(name, "*"); star && rest != "" && rest[0] != '.' {
			t.loose += by
		}
	}
}

func (t *Table) place(name string) (m *hamt.Map[string, []*Certificate], key string) {
	if rest, star := strings.CutPrefix(name, "*"); star {
		return &t.below, rest
	}
	return &t.exact, name
}

// Lookup returns the certificate for a name in lower case, nil when there is none:
// that of the name itself, else that of a star for its first label (for as little
// of it as possible), else that of a star alone. It does not allocate.
func (t *Table) Lookup(name string) *Certificate {
	if name == "" {
		return nil
	}
	if list, ok := t.exact.Get(name); ok {
		return list[0]
	}
	dot := strings.IndexByte(name, '.')
	first, last := dot, dot
	if t.loose > 0 {
		first = 1
		if dot < 0 {
			last = len(name) - 1
		}
	}
	for i := max(first, 1); i <= last; i++ {
		if list, ok := t.below.Get(name[i:]); ok {
			return list[0]
		}
	}
	if list, ok := t.below.Get(""); ok {
		return list[0]
	}
	return nil
}
