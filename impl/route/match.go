package route

// sources is the number of listener keys a connection may match: address and
// port, address, port, neither.
const sources = 4

// lists are sorted entry lists, one for each source, of one and the same path.
type lists[T any] [sources][]*entry[T]

// Match returns the rule for the query, or nil, and sets q.Matched. It allocates nothing
// as long as at most 12 prefixes (and 12 wildcards) lie on the way to the path, and no
// condition asks for a part of the path.
func (t Table[T]) Match(q *Query) *Rule[T] {
	r := t.match(q)
	if r == nil {
		q.Matched = nil
	}
	return r
}

func (t *Table[T]) match(q *Query) *Rule[T] {
	var hs [sources]*hosts[T]
	n := 0
	if t.listeners.Len() > 0 {
		for _, b := range bindings(q.Local) {
			if h, ok := t.listeners.Get(b); ok {
				hs[n] = h
				n++
			}
		}
	}
	if t.anywhere != nil {
		hs[n] = t.anywhere
		n++
	}
	level := hs[:n]
	if r := matchExactHost(level, q); r != nil {
		return r
	}
	if r := matchWildcards(level, q); r != nil {
		return r
	}
	var ps [sources]*paths[T]
	for i, h := range level {
		ps[i] = h.none
	}
	return matchPath(&ps, q)
}

func matchExactHost[T any](level []*hosts[T], q *Query) *Rule[T] {
	var ps [sources]*paths[T]
	for i, h := range level {
		ps[i], _ = h.exact.Get(q.Host)
	}
	return matchPath(&ps, q)
}

// matchWildcards tries the suffixes from the longest to the shortest.
func matchWildcards[T any](level []*hosts[T], q *Query) *Rule[T] {
	var stacks [sources]stack[paths[T]]
	for i, h := range level {
		h.wild.walkBack(q.Host, &stacks[i])
	}
	for {
		ps, ok := popDeepest(&stacks)
		if !ok {
			return nil
		}
		if r := matchPath(&ps, q); r != nil {
			return r
		}
	}
}

// matchPath searches one host level of all sources.
func matchPath[T any](ps *[sources]*paths[T], q *Query) *Rule[T] {
	var ls lists[T]
	any := false
	for i, p := range ps {
		if p != nil {
			ls[i], _ = p.exact.Get(q.Path)
			any = true
		}
	}
	if !any {
		return nil
	}
	if r := first(&ls, q); r != nil {
		return r
	}
	var stacks [sources]stack[[]*entry[T]]
	for i, p := range ps {
		if p != nil {
			p.prefix.walk(q.Path, &stacks[i])
		}
	}
	for {
		deepest, ok := popDeepest(&stacks)
		if !ok {
			return nil
		}
		for i, l := range deepest {
			if ls[i] = nil; l != nil {
				ls[i] = *l
			}
		}
		if r := first(&ls, q); r != nil {
			return r
		}
	}
}

// popDeepest takes the values with the longest key off the stacks; false when
// the stacks are empty.
func popDeepest[V any](stacks *[sources]stack[V]) (vals [sources]*V, ok bool) {
	deepest := -1
	for i := range stacks {
		if stacks[i].n > 0 {
			deepest = max(deepest, stacks[i].top().depth)
		}
	}
	for i := range stacks {
		if s := &stacks[i]; s.n > 0 && s.top().depth == deepest {
			vals[i] = s.top().val
			s.pop()
		}
	}
	return vals, deepest >= 0
}

// first merges the sorted lists and returns the first rule that holds.
func first[T any](ls *lists[T], q *Query) *Rule[T] {
	for {
		best := -1
		for i, l := range ls {
			if len(l) > 0 && (best < 0 || compare(l[0], ls[best][0]) < 0) {
				best = i
			}
		}
		if best < 0 {
			return nil
		}
		if e := ls[best][0]; e.holds(q) {
			return e.rule
		}
		ls[best] = ls[best][1:]
	}
}
