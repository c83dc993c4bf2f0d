package route

import "math"

// found is an entry, and the level of hosts that it was found at: the higher comes first.
type found[T any] struct {
	level int
	entry *entry[T] // nil: none
}

// The levels of hosts. Those of wildcards are the lengths of their suffixes.
const (
	exactHost = math.MaxInt
	noHost    = -1
)

// Match returns the rule for the query and its value, or nil and none, and sets q.Matched.
// Who needs the value alone does not wait for the rule. Match allocates nothing as long as
// no condition asks for a part of the path.
func (t Table[T]) Match(q *Query) (r *Rule[T], value T) {
	best := t.anywhere.find(q)
	if t.listeners.Len() > 0 {
		for _, b := range bindings(q.Local) {
			if h, ok := t.listeners.Get(b); ok {
				best = earlier(best, h.find(q))
			}
		}
	}
	e := best.entry
	if e == nil {
		q.Matched = nil
		return nil, value
	}
	q.Matched = e.special()
	return e.rule, e.value
}

// find searches the levels of hosts from the highest.
func (h *hosts[T]) find(q *Query) found[T] {
	if h == nil {
		return found[T]{}
	}
	if p := h.exact.get(q.Host); p != nil {
		if e := p.find(q, 0); e != nil {
			return found[T]{exactHost, e}
		}
	}
	for _, s := range h.suffixes {
		if s.len > len(q.Host) {
			continue
		}
		if p := h.wild.get(q.Host[len(q.Host)-s.len:]); p != nil {
			if e := p.find(q, 0); e != nil {
				return found[T]{s.len, e}
			}
		}
	}
	return found[T]{noHost, h.none.find(q, 0)}
}

// earlier is the one of two that comes first: the table of each listener has its own order,
// and all of them together have one.
func earlier[T any](a, b found[T]) found[T] {
	switch {
	case b.entry == nil:
		return a
	case a.entry == nil, b.level > a.level, b.level == a.level && order(b.entry, a.entry) < 0:
		return b
	}
	return a
}
