package check

import (
	"slices"

	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/topology"
)

// carried says how the operations of one history were carried: where each
// arrived, and through which gateway the connections of the clients went.
type carried struct {
	facts   Facts
	arrived map[string][]history.Arrival
	through map[uint64]topology.Ref // by Op.Conn; empty: through more than one, so nothing is known
}

func (f Facts) carried(h *history.History) carried {
	c := carried{facts: f, arrived: h.ByID(), through: map[uint64]topology.Ref{}}
	for _, o := range h.Ops {
		if o.Conn == 0 {
			continue
		}
		for _, a := range c.arrived[o.ID] {
			gw, ok := f.gatewayOf(a)
			if !ok {
				continue
			}
			if was, seen := c.through[o.Conn]; seen && was != gw {
				gw = ""
			}
			c.through[o.Conn] = gw
		}
	}
	return c
}

// deadEnds are how an operation ends when something on its way is dead. Only
// they may be blamed on a part that nobody saw the operation reach.
var deadEnds = []history.ErrClass{
	history.ClassRefused, history.ClassReset, history.ClassEOF, history.ClassTimeout, history.ClassDialTimeout, history.ClassUnreachable,
}

// generated are complete responses of a gateway's own making.
var generated = []history.ErrClass{history.Class4xxGateway, history.Class5xxGateway, history.ClassOddGateway}

// couldHit says whether what happens to the selected part of the topology can
// be why the operation failed: the operation touched that part (its client, a
// backend it arrived at, the node behind that, or the gateway between), or it
// arrived nowhere and ended as an operation does that meets something dead. A
// response that a gateway made itself tells of a gateway that is alive: it
// counts only when the request had arrived in the selected part. So does a
// connection that other requests went by, through a gateway outside the part:
// that gateway may wait for a dead target, and nothing else.
func (c carried) couldHit(sel topology.Selector, o history.Op) bool {
	arrivals := c.arrived[o.ID]
	for _, a := range arrivals {
		gw, _ := c.facts.gatewayOf(a)
		if sel.Match(a.Backend) || sel.Match(c.facts.Behind[a.Backend]) || sel.Match(gw) {
			return true
		}
	}
	switch {
	case slices.Contains(generated, o.Class):
		return false
	case sel.Match(o.Client):
		return true
	case len(arrivals) > 0 || !slices.Contains(deadEnds, o.Class):
		return false
	}
	gw := c.through[o.Conn]
	return gw == "" || sel.Match(gw) || o.Class == history.ClassTimeout
}
