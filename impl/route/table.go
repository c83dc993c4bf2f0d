package route

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/unilb/unilb/impl/expr"
	"github.com/unilb/unilb/impl/route/hamt"
)

// Table is an immutable set of rules. The zero Table is empty, and of the router HostURI.
type Table[T any] struct {
	router    Router
	rules     hamt.Map[string, *Rule[T]]
	listeners hamt.Map[expr.Binding, *hosts[T]]
	anywhere  *hosts[T] // of rules that are tied to no listener, as nearly all are
}

// hosts is the first level below a listener.
type hosts[T any] struct {
	exact hamt.Map[string, *paths[T]]
	// wild is keyed by the reversed suffix: its prefixes are our suffixes.
	wild *tree[paths[T]]
	none *paths[T]
}

// paths is the index of one host. Entries of one path are sorted.
type paths[T any] struct {
	exact  hamt.Map[string, []*entry[T]]
	prefix *tree[[]*entry[T]]
}

// New returns an empty table of a router.
func New[T any](r Router) Table[T] { return Table[T]{router: r} }

// With returns the table with the rule added, or put in the place of the one
// with its id. It fails when a host or path pattern is bad.
func (t Table[T]) With(r *Rule[T]) (Table[T], error) {
	entries, err := compileRule(r, t.router)
	if err != nil {
		return t, err
	}
	t = t.Without(r.ID)
	t.rules = t.rules.Set(r.ID, r)
	return t.edit(r, func(p *paths[T]) *paths[T] {
		for i := range entries {
			p = p.add(&entries[i], t.router)
		}
		return p
	}), nil
}

// Without returns the table without the rule of that id.
func (t Table[T]) Without(id string) Table[T] {
	r, ok := t.rules.Get(id)
	if !ok {
		return t
	}
	t.rules = t.rules.Delete(id)
	return t.edit(r, func(p *paths[T]) *paths[T] {
		for _, pattern := range unique(r.Paths) {
			p = p.remove(r, pattern, t.router)
		}
		return p
	})
}

func compileRule[T any](r *Rule[T], router Router) ([]entry[T], error) {
	if len(r.Paths) == 0 {
		return nil, fmt.Errorf("rule %s has no path", r.ID)
	}
	for _, h := range r.Hosts {
		if h == "" || strings.LastIndexByte(h, '*') > 0 {
			return nil, fmt.Errorf("rule %s: bad host pattern %q", r.ID, h)
		}
	}
	var hosts *hostNames
	if router != HostURI && len(r.Hosts) > 0 {
		hosts = &hostNames{}
		for _, h := range r.Hosts {
			*hosts = append(*hosts, strings.ToLower(h))
		}
	}
	var entries []entry[T]
	for _, p := range unique(r.Paths) {
		e := entry[T]{rule: r, pattern: p, hosts: hosts}
		if _, _, special := router.splitPattern(p); special {
			var err error
			if e.special, err = router.compilePattern(p); err != nil {
				return nil, fmt.Errorf("rule %s: %w", r.ID, err)
			}
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// edit applies f to the path index of each host of the rule.
func (t Table[T]) edit(r *Rule[T], f func(*paths[T]) *paths[T]) Table[T] {
	var h hosts[T] // a copy: tables never change in place
	if old := t.hosts(r.Listener); old != nil {
		h = *old
	}
	names := unique(r.Hosts)
	if t.router != HostURI {
		names = nil
	}
	if len(names) == 0 {
		h.none = f(h.none)
	}
	for _, name := range names {
		name = strings.ToLower(name)
		if suffix, wild := strings.CutPrefix(name, "*"); wild {
			h.wild = h.wild.with(reverse(suffix), f)
			continue
		}
		old, _ := h.exact.Get(name)
		if p := f(old); p != nil {
			h.exact = h.exact.Set(name, p)
		} else {
			h.exact = h.exact.Delete(name)
		}
	}
	empty := h.exact.Len() == 0 && h.wild == nil && h.none == nil
	switch anywhere := r.Listener == (expr.Binding{}); {
	case anywhere && empty:
		t.anywhere = nil
	case anywhere:
		t.anywhere = &h
	case empty:
		t.listeners = t.listeners.Delete(r.Listener)
	default:
		t.listeners = t.listeners.Set(r.Listener, &h)
	}
	return t
}

func (t *Table[T]) hosts(b expr.Binding) *hosts[T] {
	if b == (expr.Binding{}) {
		return t.anywhere
	}
	h, _ := t.listeners.Get(b)
	return h
}

func (p *paths[T]) add(e *entry[T], router Router) *paths[T] {
	var q paths[T]
	if p != nil {
		q = *p
	}
	insert := func(list []*entry[T]) []*entry[T] {
		i, _ := slices.BinarySearchFunc(list, e, compare[T])
		return slices.Insert(slices.Clone(list), i, e)
	}
	key, prefix, _ := router.splitPattern(e.pattern)
	if !prefix {
		list, _ := q.exact.Get(key)
		q.exact = q.exact.Set(key, insert(list))
		return &q
	}
	q.prefix = q.prefix.with(key, func(list *[]*entry[T]) *[]*entry[T] {
		var out []*entry[T]
		if list != nil {
			out = *list
		}
		out = insert(out)
		return &out
	})
	return &q
}

func (p *paths[T]) remove(r *Rule[T], pattern string, router Router) *paths[T] {
	if p == nil {
		return nil
	}
	q := *p
	drop := func(list []*entry[T]) []*entry[T] {
		return slices.DeleteFunc(slices.Clone(list), func(e *entry[T]) bool { return e.rule == r && e.pattern == pattern })
	}
	key, prefix, _ := router.splitPattern(pattern)
	if prefix {
		q.prefix = q.prefix.with(key, func(list *[]*entry[T]) *[]*entry[T] {
			if list == nil {
				return nil
			}
			out := drop(*list)
			if len(out) == 0 {
				return nil
			}
			return &out
		})
	} else if list, ok := q.exact.Get(key); ok {
		if list = drop(list); len(list) == 0 {
			q.exact = q.exact.Delete(key)
		} else {
			q.exact = q.exact.Set(key, list)
		}
	}
	if q.exact.Len() == 0 && q.prefix == nil {
		return nil
	}
	return &q
}

func unique(list []string) []string {
	out := slices.Clone(list)
	slices.Sort(out)
	return slices.Compact(out)
}

func reverse(s string) string {
	b := []byte(s)
	slices.Reverse(b)
	return string(b)
}

// bindings returns the keys of the listener index a connection may match.
func bindings(local netip.AddrPort) [sources - 1]expr.Binding {
	a, p := local.Addr().Unmap(), local.Port()
	return [...]expr.Binding{{Addr: a, Port: p}, {Addr: a}, {Port: p}}
}
