package timeline

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/topology"
)

// A Moment is one thing that happened, for people to read.
type Moment struct {
	At   time.Duration `json:"at"`             // on the run's clock
	Kind string        `json:"kind"`           // of an event, or "fault", "heal", "write", "begin", "end"
	Node topology.Ref  `json:"node,omitempty"` // where, if it was in one place
	Text string        `json:"text"`
	// Touches are the nodes that a fault concerns.
	Touches []topology.Ref `json:"touches,omitempty"`
}

// Moments returns everything that a history has to say beside operations and
// arrivals, by time: events, both ends of faults and spans, writes when they were
// answered.
func Moments(h *history.History) []Moment {
	var out []Moment
	told := map[string]bool{} // what windows say better
	for _, f := range h.Faults {
		told[f.Text] = true
		out = append(out, Moment{At: f.From, Kind: "fault", Text: faultText(f), Touches: f.Targets})
		if !f.Open() {
			out = append(out, Moment{At: f.To, Kind: "heal", Text: faultText(f), Touches: f.Targets})
		}
	}
	for _, e := range h.Events {
		if e.Kind != "fault" || !told[e.Text] {
			out = append(out, Moment{At: e.At, Kind: e.Kind, Node: e.Node, Text: e.Text})
		}
	}
	for _, s := range h.Spans {
		out = append(out, Moment{At: s.From, Kind: "begin", Text: s.Name})
		if !s.Open() {
			out = append(out, Moment{At: s.To, Kind: "end", Text: fmt.Sprintf("%s, after %s", s.Name, (s.To - s.From).Round(time.Millisecond))})
		}
	}
	for _, w := range h.Writes {
		out = append(out, Moment{At: w.Return, Kind: "write", Text: writeText(w)})
	}
	slices.SortStableFunc(out, func(a, b Moment) int { return cmp.Compare(a.At, b.At) })
	return out
}

// faultText is the fault with its id and the name that a scenario gave it.
func faultText(f history.FaultWindow) string {
	if f.Name != "" {
		return fmt.Sprintf("%s %q: %s", f.ID, f.Name, f.Text)
	}
	return f.ID + ": " + f.Text
}

func writeText(w history.Write) string {
	parts := []string{w.Key}
	if len(w.Object) == 0 && w.Serves == nil && w.Routes == nil && w.Holds == nil {
		parts = append(parts, "deleted")
	}
	if w.Rev != 0 {
		parts = append(parts, fmt.Sprintf("revision %d", w.Rev))
	}
	took := (w.Return - w.Call).Round(100 * time.Microsecond)
	if w.Outcome == history.OK {
		parts = append(parts, fmt.Sprintf("after %s", took))
	} else {
		parts = append(parts, fmt.Sprintf("%s after %s", cmp.Or(w.Outcome, history.Info), took))
	}
	if w.InForce > 0 {
		parts = append(parts, fmt.Sprintf("in force at +%s", w.InForce.Round(time.Millisecond)))
	}
	if w.Error != "" {
		parts = append(parts, w.Error)
	}
	return strings.Join(parts, ", ")
}

// Within returns the moments of a span of time, both ends included.
func Within(all []Moment, from, to time.Duration) []Moment {
	var out []Moment
	for _, m := range all {
		if m.At >= from && m.At <= to {
			out = append(out, m)
		}
	}
	return out
}

// On returns the moments that concern a selected node, and those that are about no
// node at all.
func On(all []Moment, sel topology.Selector) []Moment {
	var out []Moment
	for _, m := range all {
		nowhere := m.Node == "" && len(m.Touches) == 0
		if nowhere || sel.Match(m.Node) || slices.ContainsFunc(m.Touches, sel.Match) {
			out = append(out, m)
		}
	}
	return out
}
