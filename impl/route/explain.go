package route

import (
	"cmp"
	"iter"
	"slices"
	"strings"

	"github.com/unilb/unilb/impl/expr"
)

// A Candidate is one path of a rule that lies on the way of a search.
type Candidate[T any] struct {
	Rule *Rule[T]
	// Host is what the table knows the host by at that level: an exact name, a suffix
	// behind a star, or "" where hosts do not count.
	Host string
	Path string // as the rule has it
	// Fails is the first condition that does not hold. The first candidate whose
	// conditions hold is what Match returns; those after it are never looked at.
	Fails   Condition
	special *Pattern
}

// Vars are the variables of a query as the conditions of the candidate see them.
func (c *Candidate[T]) Vars(q *Query) expr.Vars {
	if c.special == nil {
		return q.Vars
	}
	seen := captured(*q)
	seen.Matched = c.special
	return &seen
}

// Candidates yields all paths that lie on the way of a query, in the order in which Match
// looks at them, also those behind the one that matches. It takes its time and allocates:
// it is for people.
func (t Table[T]) Candidates(q *Query) iter.Seq[Candidate[T]] {
	return func(yield func(Candidate[T]) bool) {
		asked := *q // conditions note in it what they have found
		level := []*hosts[T]{t.anywhere}
		for _, b := range bindings(q.Local) {
			h, _ := t.listeners.Get(b)
			level = append(level, h)
		}
		var all []found[T]
		for _, h := range level {
			h.all(q, func(f found[T]) { all = append(all, f) })
		}
		slices.SortStableFunc(all, func(a, b found[T]) int { return cmp.Or(cmp.Compare(b.level, a.level), order(a.entry, b.entry)) })
		for _, f := range all {
			e := f.entry
			if !yield(Candidate[T]{Rule: e.rule, Host: f.host(q), Path: e.pattern, Fails: e.fails(&asked), special: e.special()}) {
				return
			}
		}
	}
}

// all yields what fits the host and the path of a query.
func (h *hosts[T]) all(q *Query, yield func(found[T])) {
	if h == nil {
		return
	}
	at := func(level int, p *paths[T]) {
		if p != nil {
			p.all(q.Path, 0, func(e *entry[T]) { yield(found[T]{level, e}) })
		}
	}
	at(exactHost, h.exact.get(q.Host))
	for _, s := range h.suffixes {
		if s.len <= len(q.Host) {
			at(s.len, h.wild.get(q.Host[len(q.Host)-s.len:]))
		}
	}
	at(noHost, &h.none)
}

// host is what the table knows the host of a query by at a level.
func (f found[T]) host(q *Query) string {
	switch f.level {
	case exactHost:
		return q.Host
	case noHost:
		return ""
	}
	return "*" + q.Host[len(q.Host)-f.level:]
}

// Why tells what keeps a rule from a query: the first condition that does not hold, of
// the path that comes farthest. Holds: it would match, if no other did first.
func (t Table[T]) Why(r *Rule[T], q *Query) Candidate[T] {
	if !boundTo(r.Listener, q) {
		return Candidate[T]{Rule: r, Fails: ByListener}
	}
	host, ok := t.foundBy(r, q)
	if !ok {
		return Candidate[T]{Rule: r, Fails: ByHost}
	}
	best := Candidate[T]{Rule: r, Host: host, Fails: ByPath}
	entries, err := compileRule(r, t.router)
	if err != nil {
		return best // cannot be: it is in the table
	}
	asked := *q
	for i := range entries {
		e := &entries[i]
		key, prefix, _ := t.router.splitPattern(e.pattern)
		if prefix && !strings.HasPrefix(q.Path, key) || !prefix && q.Path != key {
			continue
		}
		c := Candidate[T]{Rule: r, Host: host, Path: e.pattern, Fails: e.fails(&asked), special: e.special()}
		if c.Fails == Holds {
			return c
		}
		if best.Path == "" || c.Fails > best.Fails {
			best = c
		}
	}
	return best
}

func boundTo(b expr.Binding, q *Query) bool {
	return (!b.Addr.IsValid() || b.Addr == q.Local.Addr().Unmap()) && (b.Port == 0 || b.Port == q.Local.Port())
}

// foundBy is the host of a rule by which a table finds it: of several the longest.
func (t *Table[T]) foundBy(r *Rule[T], q *Query) (host string, ok bool) {
	if t.router != HostURI || len(r.Hosts) == 0 {
		return "", true
	}
	for _, name := range r.Hosts {
		name = strings.ToLower(name)
		if (hostNames{name}).match(&Query{Host: q.Host, Authority: q.Host}) && len(name) >= len(host) {
			host, ok = name, true
		}
	}
	return host, ok
}
