package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/topology"
)

// NoTornConfig says that route and group seen together existed together: each
// request that reached a backend reached one that, in some state that the
// configuration went through, was in the group of the route that matched. Which
// state, and whether it was still in force, is no matter here (see
// ConfigConverges).
//
// It composes the states from the writes that carry Routes and Holds: by revision
// where all of them that succeeded have one, else by the time in which they must
// have taken effect. A write that may or may not have happened may have done so at
// any time since. The history must begin with the writes that made a route and its
// group: requests that were sent before those had returned are not judged, and
// neither are groups that no write fills.
//
// Answers that one single state explains show nothing of its changes and give
// Unknown.
func NoTornConfig() Checker { return noTornConfig{} }

type noTornConfig struct{}

func (noTornConfig) Name() string { return "NoTornConfig" }

func (c noTornConfig) Check(h *history.History, _ Facts) Verdict {
	f := finding{Verdict: Verdict{Check: c.Name()}}
	states := statesOf(h.Writes)
	arrived := h.ByID()
	seen := map[string]explained{} // by what decides it: the routes that match and the backend
	common := states.all()
	for _, o := range h.Ops {
		routes := states.routesFor(o)
		if len(routes) == 0 {
			continue
		}
		for _, b := range reached(o, arrived[o.ID]) {
			key := fmt.Sprint(routes, b)
			e, known := seen[key]
			if !known {
				e = states.explain(routes, b)
				seen[key] = e
			}
			if !e.judged {
				continue
			}
			f.Examined++
			if !slices.Contains(e.points, true) {
				f.violation(o.ID, o.Sent, "%s %s%s reached %s, and no state of the configuration sends it there: %s",
					o.Request.Method, o.Request.Host, o.Request.Target, b, states.tell(routes, b))
				continue
			}
			for i, ok := range e.points {
				common[i] = common[i] && ok
			}
		}
	}
	f.Summary = fmt.Sprintf("%d of %d requests went by a route and a group that never existed together", f.bad, f.Examined)
	switch {
	case !states.complete():
		f.doubt("no write says which route goes to which group, and which backends that holds")
	case f.Examined > 0 && slices.Contains(common, true):
		f.doubt("traffic shows one state of the configuration only: the one %s", states.at(slices.Index(common, true)))
	}
	return f.verdict(h, fmt.Sprintf("%d requests, %d states, %d kinds of answers", f.Examined, len(states.points), len(seen)))
}

// reached are the backends that a request reached: where it arrived or, when
// nothing was recorded there, the one that answered.
func reached(o history.Op, as []history.Arrival) []topology.Ref {
	var bs []topology.Ref
	for _, a := range as {
		if !slices.Contains(bs, a.Backend) {
			bs = append(bs, a.Backend)
		}
	}
	if b := backendOf(o); b != "" && !slices.Contains(bs, b) {
		bs = append(bs, b)
	}
	return bs
}

// explained says at which points of the configuration's history a request may have
// reached a backend.
type explained struct {
	judged bool // false: a group that no write fills may be why
	points []bool
}

func (s *states) explain(routes []*part, b topology.Ref) explained {
	e := explained{judged: true, points: make([]bool, len(s.points))}
	for i, p := range s.points {
		ok, unfilled := s.sends(routes, b, p)
		if unfilled {
			return explained{}
		}
		e.points[i] = ok
	}
	return e
}

// sends says whether, at a point, a request may go to a backend: by the first
// route, which has the longest prefix, or by a later one while those before it may
// have been absent.
func (s *states) sends(routes []*part, b topology.Ref, p point) (ok, unfilled bool) {
	for _, r := range routes {
		absent := p < r.first()
		for _, v := range r.values {
			if !v.holdsAt(p) {
				continue
			}
			group := v.write.Routes.Group
			if group == "" {
				absent = true
				continue
			}
			g := s.groups[group]
			if g == nil {
				return false, true
			}
			if slices.ContainsFunc(g.values, func(v value) bool { return v.holdsAt(p) && slices.Contains(v.write.Holds.Backends, b) }) {
				return true, false
			}
		}
		if !absent {
			return false, false
		}
	}
	return false, false
}

// tell says when the routes went where, and which groups held the backend when.
func (s *states) tell(routes []*part, b topology.Ref) string {
	var parts []string
	for _, r := range routes {
		for _, v := range r.values {
			if g := v.write.Routes.Group; g != "" {
				parts = append(parts, fmt.Sprintf("%s went to %s %s", r.name, g, s.span(v)))
			}
		}
	}
	const most = 4
	if len(parts) > most {
		parts = append(parts[:most], fmt.Sprintf("%d more", len(parts)-most))
	}
	held := "nobody held it"
	for _, g := range s.order {
		for _, v := range g.values {
			if slices.Contains(v.write.Holds.Backends, b) {
				if held == "nobody held it" {
					held = ""
				} else {
					held += ", "
				}
				held += fmt.Sprintf("%s held it %s", g.name, s.span(v))
			}
		}
	}
	return strings.Join(parts, ", ") + "; " + held
}
