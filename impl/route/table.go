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

// Replace returns the table with a rule in the place of another: old is one that is in
// the table, or nil; next may be nil, too. It fails when a host or path pattern of next is
// bad. The table does not know its rules by their ids: its owner does.
func (t Table[T]) Replace(old, next *Rule[T]) (Table[T], error) {
	entries, err := compileRule(next, t.router)
	switch {
	case err != nil:
		return t, err
	case old == nil && next == nil:
		return t, nil
	case old != nil && next != nil && old.Listener == next.Listener && slices.Equal(old.Hosts, next.Hosts):
		// As nearly always: one way down does for both.
		return t.edit(next, func(p *paths[T]) *paths[T] { return p.replace(old, entries, t.router) }), nil
	}
	if old != nil {
		t = t.edit(old, func(p *paths[T]) *paths[T] { return p.replace(old, nil, t.router) })
	}
	if next != nil {
		t = t.edit(next, func(p *paths[T]) *paths[T] { return p.replace(nil, entries, t.router) })
	}
	return t, nil
}

// compileRule makes the entries of a rule, one a path; nil has none.
func compileRule[T any](r *Rule[T], router Router) ([]entry[T], error) {
	if r == nil {
		return nil, nil
	}
	if len(r.Paths) == 0 {
		return nil, fmt.Errorf("rule %s has no path", r.ID)
	}
	for _, h := range r.Hosts {
		if h == "" || strings.LastIndexByte(h, '*') > 0 {
			return nil, fmt.Errorf("rule %s: bad host pattern %q", r.ID, h)
		}
	}
	var hosts hostNames
	if router != HostURI {
		for _, h := range r.Hosts {
			hosts = append(hosts, strings.ToLower(h))
		}
	}
	paths := unique(r.Paths)
	entries := make([]entry[T], 0, len(paths))
	for _, p := range paths {
		e := entry[T]{rule: r, pattern: p}
		_, _, special := router.splitPattern(p)
		if special || hosts != nil {
			e.beyond = &beyond{hosts: hosts}
		}
		if special {
			var err error
			if e.beyond.path, err = router.compilePattern(p); err != nil {
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
			h.wild = h.wild.with(reverse(suffix), false, f)
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

// replace returns the index with entries in the place of those of the rule old; nil: it
// is empty.
func (p *paths[T]) replace(old *Rule[T], entries []entry[T], router Router) *paths[T] {
	var q paths[T]
	if p != nil {
		q = *p
	}
	if old != nil {
		for _, pattern := range unique(old.Paths) {
			if !slices.ContainsFunc(entries, func(e entry[T]) bool { return e.pattern == pattern }) {
				q.set(pattern, old, nil, router)
			}
		}
	}
	for i := range entries {
		q.set(entries[i].pattern, old, &entries[i], router)
	}
	if q.exact.Len() == 0 && q.prefix == nil {
		return nil
	}
	return &q
}

// set puts an entry, or nothing, in the place of that of the rule old at one pattern.
func (p *paths[T]) set(pattern string, old *Rule[T], e *entry[T], router Router) {
	change := func(list []*entry[T]) []*entry[T] {
		out := make([]*entry[T], 0, len(list)+1)
		for _, o := range list {
			if o.rule != old || o.pattern != pattern {
				out = append(out, o)
			}
		}
		if e == nil {
			return out
		}
		i, _ := slices.BinarySearchFunc(out, e, compare[T])
		return slices.Insert(out, i, e)
	}
	key, prefix, _ := router.splitPattern(pattern)
	if !prefix {
		list, _ := p.exact.Get(key)
		if list = change(list); len(list) > 0 {
			p.exact = p.exact.Set(list[0].pattern, list) // the key, but of a rule that stays
		} else {
			p.exact = p.exact.Delete(key)
		}
		return
	}
	p.prefix = p.prefix.with(key, e != nil, func(list *[]*entry[T]) *[]*entry[T] {
		var out []*entry[T]
		if list != nil {
			out = *list
		}
		if out = change(out); len(out) == 0 {
			return nil
		}
		return &out
	})
}

func unique(list []string) []string {
	if len(list) < 2 {
		return list
	}
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
