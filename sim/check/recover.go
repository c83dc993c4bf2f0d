package check

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/topology"
)

// SteadyFor is how long nothing may fail before a load counts as recovered,
// and MinSteady how many requests that span must hold.
const (
	SteadyFor = time.Second
	MinSteady = 5
)

// Recovers says that within that time after each fault began there was a span
// of SteadyFor in which no request failed. A history that ends too early, that
// has no fault or too little traffic before the first one, or a load too thin to
// have MinSteady requests in that span, gives Unknown.
func Recovers(within time.Duration) Checker { return recovers{within} }

type recovers struct{ within time.Duration }

func (recovers) Name() string { return "Recovers" }

func (c recovers) Check(h *history.History, _ Facts) Verdict {
	f := finding{Verdict: Verdict{Check: c.Name()}}
	var worst time.Duration
	end := h.End()
	for _, w := range h.Faults {
		f.Examined++
		at, ok := steadyAfter(h.Ops, w.From, MinSteady)
		quiet, calm := steadyAfter(h.Ops, w.From, 0)
		switch {
		case ok && at-w.From <= c.within:
			worst = max(worst, at-w.From)
		case calm && quiet-w.From <= c.within && quiet+SteadyFor <= end && thin(h.Ops, w.From):
			f.doubt("%s: nothing failed in the second that began %s after it, but the load is too thin: want at least %d requests a second before the fault",
				w.Text, (quiet - w.From).Round(time.Millisecond), MinSteady)
		case ok:
			f.violation("", at, "%s: steady again only %s after it began", w.Text, (at - w.From).Round(time.Millisecond))
		case end < w.From+c.within+SteadyFor:
			f.doubt("%s: traffic ends before the limit of %s has passed", w.Text, c.within)
		default:
			f.violation("", w.From, "%s: no steady second in the %s that were recorded after it", w.Text, (end - w.From).Round(time.Millisecond))
		}
	}
	if len(h.Faults) > 0 {
		f.wantBefore(h)
	}
	f.Summary = fmt.Sprintf("%d of %d faults not recovered from within %s", f.bad, f.Examined, c.within)
	return f.verdict(h, fmt.Sprintf("%s (limit %s)", worst.Round(time.Millisecond), c.within))
}

// thin says whether a load had too few requests, before a moment, for any span of
// SteadyFor to be expected to hold MinSteady of them.
func thin(ops []history.Op, before time.Duration) bool {
	n, first := 0, before
	for _, o := range ops {
		if o.Sent < before {
			n, first = n+1, min(first, o.Sent)
		}
	}
	return time.Duration(n)*SteadyFor < MinSteady*(before-first)
}

// steadyAfter finds the first moment from which nothing failed for SteadyFor and
// that many requests succeeded.
func steadyAfter(ops []history.Op, from time.Duration, atLeast int) (time.Duration, bool) {
	var bad []history.Op
	for _, o := range ops {
		if o.Outcome != history.OK && o.Returned >= from {
			bad = append(bad, o)
		}
	}
	starts := []time.Duration{from}
	for _, o := range bad {
		starts = append(starts, o.Returned)
	}
	slices.Sort(starts)
	slices.SortFunc(bad, func(a, b history.Op) int { return cmp.Compare(a.Sent, b.Sent) })
	for _, start := range starts {
		until := start + SteadyFor
		if slices.ContainsFunc(bad, func(o history.Op) bool { return o.Sent < until && o.Returned > start }) {
			continue
		}
		good := 0
		for _, o := range ops {
			if o.Outcome == history.OK && o.Sent >= start && o.Sent < until {
				good++
			}
		}
		if good >= atLeast {
			return start, true
		}
	}
	return 0, false
}

// HealthGate says that no request arrived at a backend among the faulty ones
// later than detect after the fault began and before it ended, and that some
// arrived again at the latest recover after it ended. It judges each fault
// whose targets the selector matches. Without traffic in those spans, before the
// first fault, or at the backend before its fault, it says Unknown.
func HealthGate(sel topology.Selector, detect, recover time.Duration) Checker {
	return healthGate{sel, detect, recover}
}

type healthGate struct {
	sel             topology.Selector
	detect, recover time.Duration
}

func (healthGate) Name() string { return "HealthGate" }

func (c healthGate) Check(h *history.History, _ Facts) Verdict {
	f := finding{Verdict: Verdict{Check: c.Name()}}
	end := h.End()
	for _, w := range h.Faults {
		for _, target := range w.Targets {
			if c.sel.Match(target) {
				c.one(&f, h, w, target, end)
			}
		}
	}
	if f.Examined > 0 {
		f.wantBefore(h)
	}
	f.Summary = fmt.Sprintf("%d violations in %d arrivals", f.bad, f.Examined)
	return f.verdict(h, fmt.Sprintf("%d arrivals examined", f.Examined))
}

func (c healthGate) one(f *finding, h *history.History, w history.FaultWindow, target topology.Ref, end time.Duration) {
	to := w.To
	if w.Open() {
		to = end
	}
	before, others, again := 0, 0, false
	for _, a := range h.Arrivals {
		inGate := a.At > w.From+c.detect && a.At < to
		switch {
		case a.Backend == target && a.At < w.From:
			before++
		case a.Backend == target && inGate:
			f.Examined++
			f.violation(a.ID, a.At, "%s arrived at %s, %s after %s", a.Seen.Target, target, (a.At - w.From).Round(time.Millisecond), w.Text)
		case a.Backend == target && a.At >= to && a.At <= to+c.recover:
			f.Examined++
			again = true
		case inGate:
			f.Examined++
			others++
		}
	}
	if before < MinSteady {
		f.doubt("only %d arrivals at %s before %s, want at least %d", before, target, w.Text, MinSteady)
	}
	if others < MinSteady {
		f.doubt("only %d arrivals elsewhere while %s was out", others, target)
	}
	switch {
	case again || w.Open():
	case end < to+c.recover:
		f.doubt("traffic ends before %s had to be back", target)
	default:
		f.violation("", to+c.recover, "%s got nothing within %s after it was well again", target, c.recover)
	}
}
