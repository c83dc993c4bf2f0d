package timeline

import (
	"slices"
	"strings"

	"github.com/unilb/unilb/sim/history"
)

// A Tally counts how the operations of one stream ended.
type Tally struct {
	Stream string `json:"stream"`
	OK     int    `json:"ok"`
	Fail   int    `json:"fail"`
	Info   int    `json:"info"` // may or may not have happened
	// Classes counts those that did not simply succeed.
	Classes map[history.ErrClass]int `json:"classes,omitempty"`
}

// Tallies counts outcomes, stream by stream.
func Tallies(h *history.History) []Tally {
	by := map[string]*Tally{}
	for _, o := range h.Ops {
		t := by[o.Stream]
		if t == nil {
			t = &Tally{Stream: o.Stream, Classes: map[history.ErrClass]int{}}
			by[o.Stream] = t
		}
		switch o.Outcome {
		case history.OK:
			t.OK++
		case history.Fail:
			t.Fail++
		default: // an operation without an outcome never ended
			t.Info++
		}
		if o.Class != history.ClassNone {
			t.Classes[o.Class]++
		}
	}
	var out []Tally
	for _, t := range by {
		out = append(out, *t)
	}
	slices.SortFunc(out, func(a, b Tally) int { return strings.Compare(a.Stream, b.Stream) })
	return out
}
