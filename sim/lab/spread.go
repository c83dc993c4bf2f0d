package lab

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/unilb/unilb/sim/link"
	"github.com/unilb/unilb/sim/proc"
	"github.com/unilb/unilb/sim/traffic"
	"github.com/unilb/unilb/topology"
)

// How the edge finds out which L4 nodes serve.
const (
	probeEvery   = 200 * time.Millisecond
	probeTimeout = 400 * time.Millisecond
	probeMisses  = 2 // failures in a row that take a leg out; one success brings it back
)

// Numbers of kernel objects, apart from each other for up to 64 legs.
const (
	firstGroupID = 1 << 16
	legsPerGroup = 64
)

// A spreader keeps one nexthop group of an edge router equal to what its probes
// say. When every leg fails it keeps all of them: an edge that withdrew everything
// would turn a failure of its own probes into an outage.
type spreader struct {
	node   *Node
	plan   topology.NexthopGroup
	group  link.Group // but for Active
	client *http.Client
	cancel context.CancelFunc
	done   chan struct{}
	kick   chan struct{} // asks for a round at once

	legs []legState // what the probes say; of the goroutine that probes

	mu      sync.Mutex
	inForce []legState    // the same, once the kernel's group follows it
	changed chan struct{} // closed and replaced when it changes
}

type legState struct {
	link.Leg
	to     topology.Ref
	probe  string
	misses int
	proven bool // a probe has succeeded since it was last taken out
	err    error
}

func (s legState) in() bool { return s.misses < probeMisses }

// startSpreading puts the groups in force, with all their legs, and starts probing.
func (l *Lab) startSpreading() error {
	for i, g := range l.plan.Groups {
		n := l.nodes[g.Node]
		if n == nil {
			return fmt.Errorf("nexthop group %s: no node %s", g.Name, g.Node)
		}
		if len(g.Legs) == 0 || len(g.Legs) > legsPerGroup {
			return fmt.Errorf("nexthop group %s: %d legs, want 1 to %d", g.Name, len(g.Legs), legsPerGroup)
		}
		s := &spreader{
			node: n, plan: g, client: traffic.HTTP(n, probeTimeout),
			done: make(chan struct{}), kick: make(chan struct{}, 1),
			group: link.Group{ID: uint32(firstGroupID + i)}, changed: make(chan struct{}),
		}
		for j, leg := range g.Legs {
			id := uint32(i*legsPerGroup + j + 1)
			s.legs = append(s.legs, legState{Leg: link.Leg{ID: id, Via: leg.Via, Dev: leg.Dev}, to: leg.To, probe: leg.Probe})
		}
		for _, r := range n.plan.Routes {
			if r.Group == g.Name {
				s.group.Dsts = append(s.group.Dsts, r.Dst)
			}
		}
		if err := s.sync(); err != nil {
			return fmt.Errorf("build %s: %w", g.Node, err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		s.cancel = cancel
		l.edges = append(l.edges, s)
		go s.run(ctx)
	}
	return nil
}

func (s *spreader) close() {
	s.cancel()
	<-s.done
}

func (s *spreader) run(ctx context.Context) {
	defer close(s.done)
	defer s.client.CloseIdleConnections()
	tick := time.NewTicker(probeEvery)
	defer tick.Stop()
	for {
		events := s.round(ctx)
		if ctx.Err() != nil {
			return
		}
		for _, text := range events {
			s.node.lab.event("node", s.node.Ref(), text)
		}
		if err := s.sync(); err != nil {
			// An edge without power or links cannot; the next round tries again.
			s.node.lab.o.Log.Debug("nexthop group not in force", "node", s.node.Ref(), "err", err)
		} else {
			s.publish()
		}
		select {
		case <-tick.C:
		case <-s.kick:
		case <-ctx.Done():
			return
		}
	}
}

// round probes every leg once and returns what changed, for the timeline.
func (s *spreader) round(ctx context.Context) (events []string) {
	errs := make([]error, len(s.legs))
	var wg sync.WaitGroup
	for i := range s.legs {
		wg.Go(func() { errs[i] = proc.Get(ctx, s.client, s.legs[i].probe) })
	}
	wg.Wait()
	if ctx.Err() != nil {
		return nil
	}
	for i, err := range errs {
		if text := s.judge(&s.legs[i], err); text != "" {
			events = append(events, text)
		}
	}
	return events
}

// judge takes the result of one probe into account; the text says what changed.
func (s *spreader) judge(leg *legState, err error) string {
	wasIn, wasProven := leg.in(), leg.proven
	if leg.err = err; err == nil {
		leg.misses, leg.proven = 0, true
	} else if leg.misses++; !leg.in() {
		leg.proven = false
	}
	switch {
	case leg.in() == wasIn && leg.proven == wasProven:
		return ""
	case leg.in():
		return fmt.Sprintf("%s serves: in group %s", leg.to, s.plan.Name)
	default:
		return fmt.Sprintf("%s does not serve: out of group %s: %v", leg.to, s.plan.Name, err)
	}
}

// publish makes what the kernel does now the status.
func (s *spreader) publish() {
	s.mu.Lock()
	defer s.mu.Unlock()
	same := slices.EqualFunc(s.inForce, s.legs, func(a, b legState) bool { return a.in() == b.in() && a.proven == b.proven })
	s.inForce = slices.Clone(s.legs)
	if !same {
		close(s.changed)
		s.changed = make(chan struct{})
	}
}

// sync makes the kernel's group equal to the legs that are in.
func (s *spreader) sync() error {
	g, ids := s.group, []uint32(nil)
	for _, all := range []bool{false, true} {
		for _, leg := range s.legs {
			if leg.in() || all {
				g.Active, ids = append(g.Active, leg.Leg), append(ids, leg.ID)
			}
		}
		if len(g.Active) > 0 {
			break
		}
	}
	slices.Sort(ids)
	have, err := s.node.stack.GroupLegs(g.ID)
	if err != nil || slices.Equal(have, ids) {
		return err
	}
	return s.node.stack.SetGroup(g)
}
