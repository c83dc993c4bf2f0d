package check

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/topology"
)

// A version is a state that the writer made, and the span in which a gateway
// may show it.
type version struct {
	write    history.Write
	backends []topology.Ref
	any      bool // before the first write: anything may be served
	from, to time.Duration
}

func (v version) admits(s sight) bool {
	return v.any || s.none && len(v.backends) == 0 || !s.none && slices.Contains(v.backends, s.backend)
}

// A sight is what one operation showed of the configuration.
type sight struct {
	op      history.Op
	backend topology.Ref
	none    bool   // the gateway knew no route
	gateway string // empty when nothing arrived
}

// A scope is the host and prefix that writes speak about.
type scope struct {
	host, prefix string
	writes       []history.Write
}

func (s *scope) String() string { return s.host + s.prefix }

func (s *scope) holds(o history.Op) bool {
	return strings.EqualFold(o.Request.Host, s.host) && strings.HasPrefix(o.Request.Target, s.prefix)
}

func scopesOf(ws []history.Write) []*scope {
	var scopes []*scope
	for _, w := range ws {
		if w.Serves == nil || w.Outcome == history.Fail {
			continue
		}
		i := slices.IndexFunc(scopes, func(s *scope) bool { return s.host == w.Serves.Host && s.prefix == w.Serves.Prefix })
		if i < 0 {
			scopes = append(scopes, &scope{host: w.Serves.Host, prefix: w.Serves.Prefix})
			i = len(scopes) - 1
		}
		scopes[i].writes = append(scopes[i].writes, w)
	}
	return scopes
}

// sights are the operations of the scope, longest prefix first, in order of sending.
func (s *scope) sights(ops []history.Op, arrived map[string][]history.Arrival, all []*scope) []sight {
	var ss []sight
	for _, o := range ops {
		if !s.holds(o) || slices.ContainsFunc(all, func(t *scope) bool { return len(t.prefix) > len(s.prefix) && t.host == s.host && t.holds(o) }) {
			continue
		}
		as := arrived[o.ID]
		v := sight{op: o, backend: backendOf(o)}
		switch {
		case v.backend != "":
		case o.Response != nil && o.Response.Status == 404 && len(as) == 0:
			v.none = true
		case o.Response == nil && len(as) == 1:
			v.backend = as[0].Backend // the answer was lost, but the choice was made
		default:
			continue // it shows nothing of the configuration
		}
		if len(as) == 1 {
			v.gateway, _, _ = cutLast(as[0].From, ":")
		}
		ss = append(ss, v)
	}
	slices.SortStableFunc(ss, func(a, b sight) int { return cmp.Compare(a.op.Sent, b.op.Sent) })
	return ss
}

func cutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

const forever = time.Duration(math.MaxInt64)

// maxOrders bounds the orders of one scope. More writes that were under way at once
// than give so many leave the rest in the order of their calls.
const maxOrders = 64

// orders are the orders in which writes may have taken effect: by revision, then by
// call. Of several writes that came out at one revision only one is what is there in
// the end; each that no other was called after may be that.
func orders(ws []history.Write) [][]history.Write {
	ws = slices.Clone(ws)
	slices.SortStableFunc(ws, func(a, b history.Write) int {
		if a.Rev != 0 && b.Rev != 0 {
			return cmp.Or(cmp.Compare(a.Rev, b.Rev), cmp.Compare(a.Call, b.Call))
		}
		return cmp.Compare(a.Call, b.Call)
	})
	at := map[int64][]history.Write{}
	for _, w := range ws {
		if w.Rev != 0 {
			at[w.Rev] = append(at[w.Rev], w)
		}
	}
	all := [][]history.Write{ws}
	for _, rev := range slices.Sorted(maps.Keys(at)) {
		last := at[rev][len(at[rev])-1]
		for _, w := range at[rev] {
			if same(w, last) || slices.ContainsFunc(at[rev], func(o history.Write) bool { return o.Call > w.Return }) {
				continue
			}
			for _, o := range all {
				if len(all) == maxOrders {
					return all
				}
				all = append(all, behind(o, w, last))
			}
		}
	}
	return all
}

func same(a, b history.Write) bool { return a.Seq == b.Seq && a.Call == b.Call }

// behind is the order with w moved to just behind last.
func behind(ws []history.Write, w, last history.Write) []history.Write {
	out := slices.Clone(ws)
	from := slices.IndexFunc(out, func(o history.Write) bool { return same(o, w) })
	to := slices.IndexFunc(out, func(o history.Write) bool { return same(o, last) })
	if from < to {
		copy(out[from:], out[from+1:to+1])
		out[to] = w
	}
	return out
}

// versions lays out when each state may be seen, of writes in their order. A write
// that may or may not have happened adds a state and ends none.
func (c configConverges) versions(ws []history.Write) []version {
	vs := []version{{any: true, to: forever}}
	for _, w := range ws {
		if w.Outcome == history.OK {
			end := w.Return + c.bound
			if w.InForce > 0 {
				end = min(end, w.InForce)
			}
			for i := range vs {
				vs[i].to = min(vs[i].to, end)
			}
		}
		vs = append(vs, version{write: w, backends: w.Serves.Backends, from: w.Call, to: forever})
	}
	return vs
}
