package route

import (
	"cmp"
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
	exact names[paths[T]]
	wild  names[paths[T]] // by the suffix behind the star
	// suffixes are the lengths of those, the longest first.
	suffixes []suffix
	none     paths[T]
	edit     hamt.Edit // what may change it in place
}

// suffix is a length, and how many suffixes have it.
type suffix struct{ len, n int }

// New returns an empty table of a router.
func New[T any](r Router) Table[T] { return Table[T]{router: r} }

// Replace returns the table with a rule in the place of another: old is one that is in
// the table, or nil; next may be nil, too. It fails when a host or path pattern of next is
// bad. The table does not know its rules by their ids: its owner does.
func (t Table[T]) Replace(old, next *Rule[T]) (Table[T], error) { return t.ReplaceIn(0, old, next) }

// ReplaceIn is Replace as a part of an edit, which may have changed t: what the edit has
// made it changes in place. A table stays what it is when this fails.
func (t Table[T]) ReplaceIn(in hamt.Edit, old, next *Rule[T]) (Table[T], error) {
	entries, err := compileRule(next, t.router)
	switch {
	case err != nil:
		return t, err
	case old == nil && next == nil:
		return t, nil
	case old != nil && next != nil && old.Listener == next.Listener && slices.Equal(old.Hosts, next.Hosts):
		// As nearly always: one way down does for both.
		return t.edit(in, next, replacing(old, entries, t.router, in)), nil
	}
	if old != nil {
		t = t.edit(in, old, replacing[T](old, nil, t.router, in))
	}
	if next != nil {
		t = t.edit(in, next, replacing(nil, entries, t.router, in))
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
	if router != HostURI && len(r.Hosts) > 0 {
		hosts = lowered(r.Hosts)
	}
	paths := unique(r.Paths)
	for _, p := range paths {
		if len(p) > maxPath {
			return nil, fmt.Errorf("rule %s: a path has %d bytes, at most %d can be", r.ID, len(p), maxPath)
		}
	}
	entries := make([]entry[T], 0, len(paths))
	for _, p := range paths {
		key, _, special := router.splitPattern(p)
		e := entry[T]{tail: tailOf(key), size: uint16(len(key)), methods: methodsOf(r.Methods), rule: r, value: r.Value, vars: r.Vars, pattern: p}
		if special || hosts != nil || len(r.Remotes) > 0 {
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

// edit makes changes to the paths of each host of a rule.
func (t Table[T]) edit(in hamt.Edit, r *Rule[T], changes []change[T]) Table[T] {
	h := t.hosts(r.Listener).changeable(in)
	var names []string
	if t.router == HostURI {
		names = unique(lowered(r.Hosts))
	}
	if len(names) == 0 {
		h.none = h.none.withAll(changes)
	}
	for _, name := range names {
		if suffix, wild := strings.CutPrefix(name, "*"); wild {
			before := h.wild.n
			h.wild = edited(in, h.wild, suffix, changes)
			h.count(len(suffix), h.wild.n-before)
			continue
		}
		h.exact = edited(in, h.exact, name, changes)
	}
	empty := h.exact.n == 0 && h.wild.n == 0 && h.none.empty()
	switch anywhere := r.Listener == (expr.Binding{}); {
	case anywhere && empty:
		t.anywhere = nil
	case anywhere:
		t.anywhere = h
	case empty:
		t.listeners = t.listeners.DeleteIn(in, r.Listener)
	default:
		t.listeners = t.listeners.SetIn(in, r.Listener, h)
	}
	return t
}

// changeable is what an edit has made, else a copy.
func (h *hosts[T]) changeable(in hamt.Edit) *hosts[T] {
	switch {
	case h == nil:
		return &hosts[T]{edit: in}
	case in != 0 && h.edit == in:
		return h
	}
	c := *h
	c.edit = in
	return &c
}

// edited returns the names with changes to the paths of one.
func edited[T any](in hamt.Edit, all names[paths[T]], name string, changes []change[T]) names[paths[T]] {
	var p paths[T]
	if old := all.get(name); old != nil {
		p = *old
	}
	if p = p.withAll(changes); p.empty() {
		return all.del(in, name)
	}
	return all.set(in, name, p)
}

func (p paths[T]) withAll(changes []change[T]) paths[T] {
	for i := range changes {
		p = p.with(&changes[i], 0)
	}
	return p
}

// count notes that there are more suffixes of a length, or fewer.
func (h *hosts[T]) count(length, more int) {
	if more == 0 {
		return
	}
	i, there := slices.BinarySearchFunc(h.suffixes, length, func(s suffix, length int) int { return cmp.Compare(length, s.len) })
	switch {
	case !there:
		h.suffixes = hamt.Inserted(h.suffixes, i, suffix{length, more})
	case h.suffixes[i].n+more == 0:
		h.suffixes = hamt.Removed(h.suffixes, i)
	default:
		h.suffixes = slices.Clone(h.suffixes)
		h.suffixes[i].n += more
	}
}

func (t *Table[T]) hosts(b expr.Binding) *hosts[T] {
	if b == (expr.Binding{}) {
		return t.anywhere
	}
	h, _ := t.listeners.Get(b)
	return h
}

// lowered is the list itself when it is in lower case, as nearly always.
func lowered(list []string) []string {
	if !slices.ContainsFunc(list, func(s string) bool { return strings.ToLower(s) != s }) {
		return list
	}
	list = slices.Clone(list)
	for i, s := range list {
		list[i] = strings.ToLower(s)
	}
	return list
}

func unique(list []string) []string {
	if len(list) < 2 {
		return list
	}
	out := slices.Clone(list)
	slices.Sort(out)
	return slices.Compact(out)
}

// bindings returns the keys of the listener index a connection may match.
func bindings(local netip.AddrPort) [3]expr.Binding {
	a, p := local.Addr().Unmap(), local.Port()
	return [...]expr.Binding{{Addr: a, Port: p}, {Addr: a}, {Port: p}}
}
