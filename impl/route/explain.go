package route

import (
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
		s := search[T]{q: &asked, yield: yield}
		var level []*hosts[T]
		for _, b := range bindings(q.Local) {
			if h, ok := t.listeners.Get(b); ok {
				level = append(level, h)
			}
		}
		if t.anywhere != nil {
			level = append(level, t.anywhere)
		}
		var ps [sources]*paths[T]
		for i, h := range level {
			ps[i], _ = h.exact.Get(q.Host)
		}
		if !s.paths(&ps, q.Host) || !s.wildcards(level) {
			return
		}
		for i, h := range level {
			ps[i] = h.none
		}
		s.paths(&ps, "")
	}
}

// search is Candidates under way. Its methods report false when nobody wants more.
type search[T any] struct {
	q     *Query
	yield func(Candidate[T]) bool
}

func (s *search[T]) wildcards(level []*hosts[T]) bool {
	var stacks [sources]stack[paths[T]]
	for i, h := range level {
		h.wild.walkBack(s.q.Host, &stacks[i])
	}
	for {
		depth := 0
		for i := range stacks {
			if stacks[i].n > 0 {
				depth = max(depth, stacks[i].top().depth)
			}
		}
		ps, ok := popDeepest(&stacks)
		if !ok {
			return true
		}
		if !s.paths(&ps, "*"+s.q.Host[len(s.q.Host)-depth:]) {
			return false
		}
	}
}

func (s *search[T]) paths(ps *[sources]*paths[T], host string) bool {
	var ls lists[T]
	var stacks [sources]stack[[]*entry[T]]
	for i, p := range ps {
		if p != nil {
			ls[i], _ = p.exact.Get(s.q.Path)
			p.prefix.walk(s.q.Path, &stacks[i])
		}
	}
	for {
		if !s.entries(&ls, host) {
			return false
		}
		deepest, ok := popDeepest(&stacks)
		if !ok {
			return true
		}
		for i, l := range deepest {
			if ls[i] = nil; l != nil {
				ls[i] = *l
			}
		}
	}
}

func (s *search[T]) entries(ls *lists[T], host string) bool {
	merged := slices.Concat(ls[:]...)
	slices.SortStableFunc(merged, compare[T])
	for _, e := range merged {
		if !s.yield(Candidate[T]{Rule: e.rule, Host: host, Path: e.pattern, Fails: e.fails(s.q), special: e.special()}) {
			return false
		}
	}
	return true
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
