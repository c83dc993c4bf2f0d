package check

import (
	"cmp"
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
	// rank orders the states. Two of one rank were asked for at the same time and
	// came out at the same revision: which of them replaced the other, nobody knows.
	rank     int
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

// versions lays out when each state may be seen. A write that may or may not
// have happened adds a state and ends none.
func (c configConverges) versions(ws []history.Write) []version {
	slices.SortStableFunc(ws, func(a, b history.Write) int {
		if a.Rev != 0 && b.Rev != 0 {
			return cmp.Or(cmp.Compare(a.Rev, b.Rev), cmp.Compare(a.Call, b.Call))
		}
		return cmp.Compare(a.Call, b.Call)
	})
	vs := []version{{any: true, to: forever}}
	rank, busy := 0, time.Duration(0) // busy: until when a write of the rank was under way
	for i, w := range ws {
		if i > 0 && w.Rev != 0 && w.Rev == ws[i-1].Rev && w.Call <= busy {
			busy = max(busy, w.Return)
		} else {
			rank, busy = rank+1, w.Return
		}
		if w.Outcome == history.OK {
			end := w.Return + c.bound
			if w.InForce > 0 {
				end = min(end, w.InForce)
			}
			for i := range vs {
				if vs[i].rank < rank {
					vs[i].to = min(vs[i].to, end)
				}
			}
		}
		vs = append(vs, version{write: w, backends: w.Serves.Backends, rank: rank, from: w.Call, to: forever})
	}
	return vs
}
