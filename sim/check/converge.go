package check

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/unilb/unilb/sim/history"
)

// ConfigConverges says that a configuration once written comes into force and
// stays: bound after a write returned (or as soon as the system said that the
// write is in force, if that is earlier) no request that is sent is served by
// what was before it, and no gateway goes back to an older state.
//
// Writes are in the order of their revisions. Of two that came out at one revision
// the later call counts; when both were under way at once either may, but the same
// for every gateway.
//
// It judges writes that carry Serves, each host (and prefix) by itself. A
// history in which nothing shows the last write gives Unknown; so does one that
// ends before bound has passed while a gateway still shows what was before.
// Gateways are told apart by the source address at which backends see them.
func ConfigConverges(bound time.Duration) Checker { return configConverges{bound} }

type configConverges struct{ bound time.Duration }

func (configConverges) Name() string { return "ConfigConverges" }

func (c configConverges) Check(h *history.History, facts Facts) Verdict {
	f := finding{Verdict: Verdict{Check: c.Name()}}
	arrived := h.ByID()
	var slowest time.Duration
	gateways := map[string]bool{}
	scopes := scopesOf(h.Writes)
	for _, sc := range scopes {
		sights := sc.sights(h.Ops, arrived, scopes)
		f.Examined += len(sights)
		for _, s := range sights {
			if s.gateway != "" {
				gateways[s.gateway] = true
			}
		}
		var best account
		for i, ws := range orders(sc.writes) {
			if a := c.inOrder(h.End(), sc, ws, sights); i == 0 || a.better(best) {
				best = a
			}
		}
		f.bad, f.doubts = f.bad+best.bad, append(f.doubts, best.doubts...)
		f.Evidence = append(f.Evidence, best.Evidence[:min(len(best.Evidence), MaxEvidence-len(f.Evidence))]...)
		slowest = max(slowest, best.slowest)
	}
	f.Summary = fmt.Sprintf("%d of %d requests served by what was not in force", f.bad, f.Examined)
	if len(scopes) == 0 {
		f.doubt("no write says what it serves")
	}
	return f.verdict(h, fmt.Sprintf("%d requests, slowest %s (limit %s), %d gateways", f.Examined, slowest.Round(time.Millisecond), c.bound, len(gateways)))
}

// An account is what there is to say of a scope when its writes happened in some order.
type account struct {
	finding
	slowest time.Duration
}

// better says that a leaves less to be explained than b.
func (a account) better(b account) bool {
	return a.bad < b.bad || a.bad == b.bad && len(a.doubts) < len(b.doubts)
}

// inOrder judges what was seen of a scope, its writes being in this order.
func (c configConverges) inOrder(end time.Duration, sc *scope, ws []history.Write, sights []sight) account {
	var a account
	versions := c.versions(ws)
	for _, s := range sights {
		a.slowest = max(a.slowest, lag(versions, s))
	}
	c.judge(&a.finding, versions, sights)
	if last := versions[len(versions)-1]; !slices.ContainsFunc(sights, func(s sight) bool {
		return s.op.Sent >= last.from && last.admits(s)
	}) {
		a.doubt("nothing shows the last write to %s for %s", last.write.Key, sc)
	}
	c.behind(&a.finding, end, sc, versions, sights)
	return a
}

// judge gives every sight the oldest version that explains it and is no older
// than what its gateway had shown before it was sent. Taking the oldest leaves
// the most room to later sights, so a sight that finds none is a violation.
func (c configConverges) judge(f *finding, vs []version, sights []sight) {
	type shown struct {
		returned time.Duration
		version  int
	}
	history := map[string][]shown{} // per gateway
	for _, s := range sights {
		low := 0
		if s.gateway != "" {
			for _, e := range history[s.gateway] {
				if e.returned < s.op.Sent {
					low = max(low, e.version)
				}
			}
		}
		best, oldest := -1, -1
		for i, v := range vs {
			if !v.admits(s) || v.from > s.op.Returned || v.to < s.op.Sent {
				continue
			}
			if oldest < 0 {
				oldest = i
			}
			if i >= low {
				best = i
				break
			}
		}
		switch {
		case best >= 0:
			if s.gateway != "" {
				history[s.gateway] = prune(history[s.gateway], s.op.Sent, shown{s.op.Returned, best}, func(a shown) (time.Duration, int) { return a.returned, a.version })
			}
		case oldest >= 0:
			f.violation(s.op.ID, s.op.Sent, "gateway %s went back: %s shows %s, after it had shown %s", s.gateway, s.what(), vs[oldest], vs[low])
		default:
			f.violation(s.op.ID, s.op.Sent, "%s, %s", s.what(), stale(vs, s))
		}
	}
}

// behind doubts a history that ends while a gateway may still be late: what it
// was sent last after the last write that did happen, it served by something older,
// and whether it would have gone on for longer than it may, nobody saw.
func (c configConverges) behind(f *finding, end time.Duration, sc *scope, vs []version, sights []sight) {
	due := -1
	for i, v := range vs {
		if !v.any && v.write.Outcome == history.OK {
			due = i
		}
	}
	if due < 0 || end >= vs[due].write.Return+c.bound {
		return
	}
	last := vs[due].write
	newest := map[string]sight{}
	gone := len(last.Serves.Backends) == 0 // an answer of no backend does not tell its gateway: all count as one
	for _, s := range sights {             // in order of sending
		switch {
		case s.op.Sent < last.Return:
		case gone:
			newest[""] = s
		case s.gateway != "":
			newest[s.gateway] = s
		}
	}
	for _, who := range slices.Sorted(maps.Keys(newest)) {
		s := newest[who]
		if !slices.ContainsFunc(vs[due:], func(v version) bool { return v.admits(s) }) {
			f.doubt("the traffic ends %s before the last write to %s for %s had to be in force, and gateway %s still shows %s",
				(last.Return + c.bound - end).Round(time.Millisecond), last.Key, sc, s.gateway, s.backend)
		}
	}
}

// prune keeps the list short: of the entries that every later sight can see,
// only the newest version matters.
func prune[E any](es []E, now time.Duration, e E, get func(E) (time.Duration, int)) []E {
	best, have := 0, false
	var top E
	rest := es[:0]
	for _, x := range es {
		at, v := get(x)
		if at >= now {
			rest = append(rest, x)
			continue
		}
		if !have || v > best {
			best, top, have = v, x, true
		}
	}
	if have {
		rest = append(rest, top)
	}
	return append(rest, e)
}

func (s sight) what() string {
	if s.none {
		return fmt.Sprintf("%s%s found no route", s.op.Request.Host, s.op.Request.Target)
	}
	return fmt.Sprintf("%s%s served by %s", s.op.Request.Host, s.op.Request.Target, s.backend)
}

func (v version) String() string {
	if v.any {
		return "the state before the first write"
	}
	return fmt.Sprintf("revision %d of %s", v.write.Rev, v.write.Key)
}

// stale says what is wrong with a sight that no version explains.
func stale(vs []version, s sight) string {
	for i := len(vs) - 1; i > 0; i-- {
		v := vs[i]
		if v.admits(s) && v.from <= s.op.Returned {
			return fmt.Sprintf("as of %s, sent %s after that had to be gone", v, (s.op.Sent - v.to).Round(time.Millisecond))
		}
	}
	return "which no write explains"
}

// lag is how long after the return of a write a request was sent that shows
// the state before it, at least.
func lag(vs []version, s sight) time.Duration {
	for i := len(vs) - 1; i >= 0; i-- {
		if vs[i].admits(s) && vs[i].from <= s.op.Returned {
			for _, next := range vs[i+1:] {
				if next.write.Outcome == history.OK {
					return max(0, s.op.Sent-next.write.Return)
				}
			}
			return 0
		}
	}
	return 0
}
