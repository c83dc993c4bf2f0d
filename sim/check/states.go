package check

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/unilb/unilb/sim/history"
)

// A point is a place in the order of the configuration's states: a revision or,
// where not every write has one, a time.
type point int64

const endless = point(forever)

// A value is what one write made of a part of the configuration, and the span of
// points at which it may have been so, both ends included.
type value struct {
	write    history.Write
	from, to point
}

func (v value) holdsAt(p point) bool { return v.from <= p && p <= v.to }

// A part is one route or one group, with all values that it may ever have had.
type part struct {
	name   string
	prefix string // of a route
	host   string
	values []value
	known  time.Duration // when its first write had returned; forever when none has
}

// first is the earliest point at which the part may have been there.
func (p *part) first() point {
	f := endless
	for _, v := range p.values {
		f = min(f, v.from)
	}
	return f
}

// states are all states that the configuration may have gone through.
type states struct {
	byRevision bool
	routes     []*part // longest prefix first
	groups     map[string]*part
	order      []*part // the groups, by name
	points     []point // every state begins at one of them
}

func statesOf(ws []history.Write) *states {
	s := &states{byRevision: true, groups: map[string]*part{}}
	var parts []history.Write
	for _, w := range ws {
		if w.Routes == nil && w.Holds == nil || w.Outcome == history.Fail {
			continue
		}
		parts = append(parts, w)
		if w.Outcome == history.OK && w.Rev == 0 {
			s.byRevision = false
		}
	}
	slices.SortStableFunc(parts, func(a, b history.Write) int { return cmp.Compare(a.Call, b.Call) })
	routes := map[string]*part{}
	for _, w := range parts {
		from := s.from(w, parts)
		if r := w.Routes; r != nil {
			name := strings.ToLower(r.Host) + r.Prefix
			add(routes, name, w, from).host, routes[name].prefix = r.Host, r.Prefix
		}
		if g := w.Holds; g != nil {
			add(s.groups, g.Group, w, from)
		}
		s.points = append(s.points, from)
	}
	s.routes = slices.SortedFunc(maps.Values(routes), func(a, b *part) int {
		return cmp.Or(cmp.Compare(len(b.prefix), len(a.prefix)), strings.Compare(a.name, b.name))
	})
	s.order = slices.SortedFunc(maps.Values(s.groups), func(a, b *part) int { return strings.Compare(a.name, b.name) })
	for _, p := range append(slices.Clone(s.routes), s.order...) {
		s.end(p)
	}
	slices.Sort(s.points)
	s.points = slices.Compact(s.points)
	return s
}

func add(parts map[string]*part, name string, w history.Write, from point) *part {
	p := parts[name]
	if p == nil {
		p = &part{name: name, known: forever}
		parts[name] = p
	}
	p.values = append(p.values, value{write: w, from: from, to: endless})
	if w.Outcome == history.OK {
		p.known = min(p.known, w.Return)
	}
	return p
}

// from is the first point at which a write may have taken effect. Without an answer
// it has no revision, and came after all that had been answered before it was sent.
func (s *states) from(w history.Write, all []history.Write) point {
	switch {
	case !s.byRevision:
		return point(w.Call)
	case w.Rev != 0:
		return point(w.Rev)
	}
	var last int64
	for _, o := range all {
		if o.Outcome == history.OK && o.Return < w.Call {
			last = max(last, o.Rev)
		}
	}
	return point(last + 1)
}

// end ends each value where the next write that did happen replaced it, at the
// latest. One that may have happened may have done so at any time, and replaces
// nothing for sure.
func (s *states) end(p *part) {
	for i := range p.values {
		v := &p.values[i]
		if v.write.Outcome != history.OK {
			continue
		}
		for _, next := range p.values {
			if next.write.Outcome != history.OK || !s.after(next.write, v.write) {
				continue
			}
			if s.byRevision {
				v.to = min(v.to, point(next.write.Rev)-1)
			} else {
				v.to = min(v.to, point(next.write.Return))
			}
		}
	}
}

// after says whether one write surely took effect after another.
func (s *states) after(a, b history.Write) bool {
	if s.byRevision {
		return a.Rev > b.Rev
	}
	return a.Call > b.Return
}

// complete says whether there is a route with a group that can be followed.
func (s *states) complete() bool { return len(s.routes) > 0 && len(s.groups) > 0 }

func (s *states) all() []bool {
	all := make([]bool, len(s.points))
	for i := range all {
		all[i] = true
	}
	return all
}

// routesFor are the routes that may match an operation, longest prefix first; none
// when it was sent before all of them, and the groups they ever went to, were known.
func (s *states) routesFor(o history.Op) []*part {
	var rs []*part
	for _, r := range s.routes {
		if !strings.EqualFold(o.Request.Host, r.host) || !strings.HasPrefix(o.Request.Target, r.prefix) {
			continue
		}
		if o.Sent <= r.known {
			return nil
		}
		for _, v := range r.values {
			if g := s.groups[v.write.Routes.Group]; g != nil && o.Sent <= g.known && v.write.Call <= o.Returned {
				return nil
			}
		}
		rs = append(rs, r)
	}
	return rs
}

// at names the i-th point.
func (s *states) at(i int) string { return "of " + s.name(s.points[i]) }

func (s *states) name(p point) string {
	if s.byRevision {
		return fmt.Sprintf("revision %d", p)
	}
	return fmt.Sprintf("+%s", time.Duration(p).Round(time.Microsecond))
}

// span is when a value may have been there.
func (s *states) span(v value) string {
	maybe := ""
	if v.write.Outcome != history.OK {
		maybe = "perhaps "
	}
	if v.to == endless {
		return maybe + "since " + s.name(v.from)
	}
	return maybe + "from " + s.name(v.from) + " to " + s.name(v.to)
}
