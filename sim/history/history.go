package history

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"
)

// A History is the evidence of a run, or of a part of it.
type History struct {
	Start      time.Time // wall-clock time at which the run's clock was zero
	Ops        []Op
	Arrivals   []Arrival
	Writes     []Write
	AdminCalls []AdminCall
	Faults     []FaultWindow
	Spans      []Span
	Events     []Event
	// Before and After are what was there before the lab and after it; nil: nobody looked.
	Before, After *Census
	Lost          int // records that did not fit; a history with any proves nothing by absence
	// Edited says what was changed in the files since they were saved, a line for
	// each file; Open sets it. Whoever shows a verdict on such a history says so.
	Edited []string
}

// Merge puts histories of one run together. Records that several of them share
// appear once; ops are sorted by the time they were sent, the rest by the time
// they were made. Histories of different runs must not be merged: their clocks
// have nothing in common.
func Merge(hs ...*History) *History {
	m := &History{}
	faults, spans := map[string]FaultWindow{}, map[string]Span{}
	for _, h := range hs {
		if h == nil {
			continue
		}
		if m.Start.IsZero() {
			m.Start = h.Start
		}
		m.Ops = append(m.Ops, h.Ops...)
		m.Arrivals = append(m.Arrivals, h.Arrivals...)
		m.Writes = append(m.Writes, h.Writes...)
		m.AdminCalls = append(m.AdminCalls, h.AdminCalls...)
		m.Events = append(m.Events, h.Events...)
		for _, f := range h.Faults {
			if old, ok := faults[f.ID]; !ok || old.Open() {
				faults[f.ID] = f
			}
		}
		for _, s := range h.Spans {
			if old, ok := spans[s.Name]; !ok || old.Open() {
				spans[s.Name] = s
			}
		}
		m.Before, m.After = cmp.Or(m.Before, h.Before), cmp.Or(m.After, h.After)
		m.Lost = max(m.Lost, h.Lost)
		m.Edited = append(m.Edited, h.Edited...)
	}
	m.Ops = unique(m.Ops, func(o Op) uint64 { return o.Seq }, func(o Op) time.Duration { return o.Sent })
	m.Arrivals = unique(m.Arrivals, func(a Arrival) uint64 { return a.Seq }, func(a Arrival) time.Duration { return a.At })
	m.Writes = unique(m.Writes, func(w Write) uint64 { return w.Seq }, func(w Write) time.Duration { return w.Call })
	m.AdminCalls = unique(m.AdminCalls, func(a AdminCall) uint64 { return a.Seq }, func(a AdminCall) time.Duration { return a.Call })
	m.Events = unique(m.Events, func(e Event) uint64 { return e.Seq }, func(e Event) time.Duration { return e.At })
	for _, f := range faults {
		m.Faults = append(m.Faults, f)
	}
	slices.SortFunc(m.Faults, compareFaults)
	m.Spans = slices.SortedFunc(maps.Values(spans), compareSpans)
	return m
}

// unique sorts records by time, then sequence, and drops repeated sequence
// numbers. A sequence of zero (a record made by hand) is never a repetition.
func unique[R any](rs []R, seq func(R) uint64, at func(R) time.Duration) []R {
	slices.SortStableFunc(rs, func(a, b R) int {
		return cmp.Or(cmp.Compare(at(a), at(b)), cmp.Compare(seq(a), seq(b)))
	})
	return slices.CompactFunc(rs, func(a, b R) bool { return seq(a) != 0 && seq(a) == seq(b) })
}

func compareFaults(a, b FaultWindow) int {
	return cmp.Or(cmp.Compare(a.From, b.From), strings.Compare(a.ID, b.ID))
}

func compareSpans(a, b Span) int {
	return cmp.Or(cmp.Compare(a.From, b.From), strings.Compare(a.Name, b.Name))
}

// Only returns a history with the ops that keep admits and the arrivals of
// those ops, and with all other records. Arrivals without an op id
// stay: they belong to nobody, which is itself evidence.
func (h *History) Only(keep func(Op) bool) *History {
	sub := *h
	sub.Ops = nil
	foreign := make(map[string]bool)
	for _, o := range h.Ops {
		if keep(o) {
			sub.Ops = append(sub.Ops, o)
		} else {
			foreign[o.ID] = true
		}
	}
	sub.Arrivals = nil
	for _, a := range h.Arrivals {
		if !foreign[a.ID] {
			sub.Arrivals = append(sub.Arrivals, a)
		}
	}
	return &sub
}

// ByID indexes the arrivals by op id, in order of arrival.
func (h *History) ByID() map[string][]Arrival {
	m := make(map[string][]Arrival, len(h.Arrivals))
	for _, a := range h.Arrivals {
		if a.ID != "" {
			m[a.ID] = append(m[a.ID], a)
		}
	}
	return m
}

// End is the latest moment in the history.
func (h *History) End() time.Duration {
	var end time.Duration
	for _, o := range h.Ops {
		end = max(end, o.Returned)
	}
	for _, a := range h.Arrivals {
		end = max(end, a.At)
	}
	for _, w := range h.Writes {
		end = max(end, w.Return)
	}
	for _, a := range h.AdminCalls {
		end = max(end, a.Return)
	}
	return end
}
