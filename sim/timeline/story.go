package timeline

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/unilb/unilb/sim/check"
	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/topology"
)

// margin is how long before and after an operation things may have to do with it.
const margin = time.Second

// A Story is one operation and what happened around it.
type Story struct {
	Op       history.Op            `json:"op"`
	Arrivals []Hop                 `json:"arrivals"` // empty: no backend saw it
	Faults   []history.FaultWindow `json:"faults"`   // in force while it was under way
	Around   []Moment              `json:"around"`   // up to a second before and after
}

// A Hop is one arrival, and the way it took as far as facts tell.
type Hop struct {
	history.Arrival
	Gateway topology.Ref `json:"gateway,omitempty"` // whose address it came from
	Behind  topology.Ref `json:"behind,omitempty"`  // the node that the backend depends on
}

// An AmbiguousError says that several operations begin with what was given.
type AmbiguousError struct {
	Prefix string
	IDs    []string // the first ones
	Count  int
}

func (e *AmbiguousError) Error() string {
	list := strings.Join(e.IDs, ", ")
	if e.Count > len(e.IDs) {
		list += ", ..."
	}
	return fmt.Sprintf("%d operations begin with %q: %s; write more of the id", e.Count, e.Prefix, list)
}

// An UnknownError says that there is no such operation.
type UnknownError struct {
	ID       string
	Ops      int // how many there are
	Arrivals int // of the very id
}

func (e *UnknownError) Error() string {
	s := fmt.Sprintf("no operation %q among %d", e.ID, e.Ops)
	if e.Arrivals > 0 {
		s += fmt.Sprintf(", although requests of that id arrived %d times", e.Arrivals)
	}
	return s
}

// mostIDs is how many ids an AmbiguousError lists.
const mostIDs = 5

// Find returns the operation with the id, or the only one whose id begins so. The
// error is *AmbiguousError or *UnknownError.
func Find(h *history.History, id string) (history.Op, error) {
	var found []history.Op
	ids := map[string]bool{}
	for _, o := range h.Ops {
		if o.ID == id && id != "" {
			return o, nil
		}
		if id != "" && strings.HasPrefix(o.ID, id) && !ids[o.ID] {
			ids[o.ID] = true
			found = append(found, o)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		e := &UnknownError{ID: id, Ops: len(h.Ops)}
		for _, a := range h.Arrivals {
			if a.ID == id && id != "" {
				e.Arrivals++
			}
		}
		return history.Op{}, e
	}
	e := &AmbiguousError{Prefix: id, Count: len(found)}
	for _, o := range found[:min(len(found), mostIDs)] {
		e.IDs = append(e.IDs, o.ID)
	}
	return history.Op{}, e
}

// Tell tells the story of an operation.
func Tell(h *history.History, f check.Facts, o history.Op) Story {
	s := Story{Op: o, Arrivals: []Hop{}, Faults: []history.FaultWindow{}, Around: []Moment{}}
	for _, a := range h.Arrivals {
		if a.ID != o.ID {
			continue
		}
		hop := Hop{Arrival: a, Behind: f.Behind[a.Backend]}
		if from, err := netip.ParseAddrPort(a.From); err == nil {
			hop.Gateway = f.Gateways[from.Addr().Unmap()]
		}
		s.Arrivals = append(s.Arrivals, hop)
	}
	for _, w := range h.Faults {
		if w.Overlaps(o.Sent, o.Returned) {
			s.Faults = append(s.Faults, w)
		}
	}
	s.Around = append(s.Around, Within(Moments(h), o.Sent-margin, o.Returned+margin)...)
	return s
}
