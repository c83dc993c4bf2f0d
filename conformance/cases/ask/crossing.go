package ask

import (
	"slices"

	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/history"
)

// WithoutCrossings takes requests out of a history that were on their way when
// the gateway closed their idle connection: RFC 9112 9.3.1 lets it close one at any
// time, and the client repeats such a request. They are at most so many.
func WithoutCrossings(t *spec.T, h *history.History, atMost int) *history.History {
	arrived := map[string]bool{}
	for _, a := range h.Arrivals {
		arrived[a.ID] = true
	}
	h.Ops = slices.DeleteFunc(h.Ops, func(o history.Op) bool {
		cut := o.Class == history.ClassEOF || o.Class == history.ClassReset
		if !cut || o.Reused == 0 || arrived[o.ID] || atMost == 0 {
			return false
		}
		atMost--
		t.Logf("op %s met the end of its idle connection: %s", o.ID, o.Error)
		return true
	})
	return h
}
