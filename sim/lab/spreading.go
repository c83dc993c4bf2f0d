package lab

import (
	"context"
	"fmt"
	"net/netip"
	"strings"

	"github.com/unilb/unilb/topology"
)

// Spread says which legs of a nexthop group are in force.
type Spread struct {
	Group string       `json:"group"`
	Node  topology.Ref `json:"node"`
	Legs  []LegStatus  `json:"legs"`
}

// LegStatus is one leg of a nexthop group.
type LegStatus struct {
	To  topology.Ref `json:"to"`
	Via netip.Addr   `json:"via"`
	In  bool         `json:"in"`
	Why string       `json:"why,omitempty"` // the last failure of its probe
}

func (s *spreader) status() (Spread, bool, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out, all := Spread{Group: s.plan.Name, Node: s.node.Ref()}, len(s.inForce) > 0
	for _, leg := range s.inForce {
		ls := LegStatus{To: leg.to, Via: leg.Via, In: leg.in() && leg.proven}
		if leg.err != nil {
			ls.Why = leg.err.Error()
		}
		all = all && ls.In
		out.Legs = append(out.Legs, ls)
	}
	return out, all, s.changed
}

// awaitSpread waits until every leg of every group serves.
func (l *Lab) awaitSpread(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, l.o.ReadyWithin, fmt.Errorf("not within %v", l.o.ReadyWithin))
	defer cancel()
	var parts []string
	for _, s := range l.edges {
		select {
		case s.kick <- struct{}{}:
		default: // one is asked for already
		}
		for {
			st, all, changed := s.status()
			if all {
				parts = append(parts, fmt.Sprintf("%s %d of %d", st.Group, len(st.Legs), len(st.Legs)))
				break
			}
			select {
			case <-changed:
			case <-ctx.Done():
				return "", fmt.Errorf("spread VIPs by %s: %w: %s", st.Group, context.Cause(ctx), missing(st))
			}
		}
	}
	return strings.Join(parts, ", "), nil
}

func missing(st Spread) string {
	var out []string
	for _, leg := range st.Legs {
		if !leg.In {
			out = append(out, fmt.Sprintf("%s: %s", leg.To, leg.Why))
		}
	}
	return strings.Join(out, "; ")
}
