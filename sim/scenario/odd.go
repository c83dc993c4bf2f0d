package scenario

import (
	"fmt"
	"slices"

	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/lab"
	"github.com/unilb/unilb/topology"
)

// ended says which processes are gone that no fault has touched: the gateway under
// test must not end, and a lab in which anything else did proves nothing.
func (j *Job) ended(l *lab.Lab) {
	var touched []topology.Ref
	for _, f := range j.rec.Snapshot().Faults {
		touched = append(touched, f.Targets...)
	}
	for _, n := range l.Status().Nodes {
		if slices.Contains(touched, n.Ref) {
			continue
		}
		for _, p := range n.Processes {
			if p.State != "ended" {
				continue
			}
			err := fmt.Errorf("%s on %s ended although no fault had touched it: %s", p.Name, n.Ref, p.Exit)
			if !j.isGateway(string(n.Ref) + "/" + p.Name) {
				j.problem("%v", err)
			} else if j.failed == nil {
				j.failed = err
			}
		}
	}
}

// unasked says of what arrived how much nobody had asked for: what makes arrivals
// and operations of one run differ makes every check doubtful. It is empty when
// there is none, and when records were lost.
func unasked(h *history.History) string {
	if h.Lost > 0 {
		return ""
	}
	asked := make(map[string]bool, len(h.Ops))
	for _, o := range h.Ops {
		asked[o.ID] = true
	}
	n, first := 0, history.Arrival{}
	for _, a := range h.Arrivals {
		if !asked[a.ID] {
			if n == 0 {
				first = a
			}
			n++
		}
	}
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("%d arrivals are of no operation; the first: %q at %s, from %s", n, first.ID, first.Backend, first.From)
}
