package lbc

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/unilb/unilb/impl/obs"
)

// An Operation is how a change comes along, as it is told to whoever made it.
type Operation struct {
	ID       string `json:"id"`
	Action   string `json:"action"`
	Resource string `json:"resource"`
	State    string `json:"state"`
	Error    string `json:"error,omitempty"`
	// Revisions that must be in force, by the prefix that nodes watch.
	Revisions map[string]int64 `json:"revisions"`
	// InForce of Nodes registered nodes that watch something of it have it.
	InForce int `json:"in_force"`
	Nodes   int `json:"nodes"`
	// SlowestMS is how long after the change the last of those had it in force.
	SlowestMS int64    `json:"slowest_ms"`
	Behind    []Behind `json:"behind"`
}

// Behind names a node on which a change is not in force, as far as is known.
type Behind struct {
	Node    string `json:"node"`
	Kind    string `json:"kind"`
	State   string `json:"state"` // behind, unknown or refused
	Prefix  string `json:"prefix"`
	Applied int64  `json:"applied"`
	Want    int64  `json:"want"`
	// Error is which object the node refuses, and why.
	Error string `json:"error,omitempty"`
}

// answer tells what is known of an operation without asking anybody.
func (o opRecord) answer() Operation {
	a := Operation{
		ID: o.ID, Action: o.Action, Resource: o.Resource, State: o.State, Error: o.Error,
		Revisions: make(map[string]int64), Behind: []Behind{},
	}
	for dir, rev := range o.Touched {
		p := shownPrefix(dir)
		a.Revisions[p] = max(a.Revisions[p], rev)
	}
	if o.State == stateInForce {
		a.InForce, a.Nodes = len(o.Reached), len(o.Reached)
		for _, ms := range o.Reached {
			a.SlowestMS = max(a.SlowestMS, ms)
		}
	}
	return a
}

// shownPrefix is the prefix under which the revision of a directory is told:
// its first part below the root of APISIX, its first two of ours.
func shownPrefix(dir string) string {
	parts := strings.SplitN(strings.TrimPrefix(dir, "/"), "/", 3)
	if parts[0] != "unilb" || len(parts) < 2 {
		return "/" + parts[0]
	}
	return "/" + parts[0] + "/" + parts[1]
}

// Operation answers an operation. With wait it answers when the change is in
// force everywhere, when the operation failed, or after that time.
func (s *Service) Operation(ctx context.Context, id string, wait time.Duration) (Operation, error) {
	deadline := time.Now().Add(wait)
	o, mod, err := s.operation(ctx, id)
	if err != nil {
		return Operation{}, err
	}
	for o.State == statePublishing && time.Now().Before(deadline) {
		next := s.ops.next()
		if o, mod, err = s.operation(ctx, id); err != nil {
			return Operation{}, err
		}
		if o.State != statePublishing {
			break
		}
		timer := time.NewTimer(time.Until(deadline))
		select {
		case <-next:
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return Operation{}, ctx.Err()
		}
		timer.Stop()
	}
	// A commit of the change itself is published at the revision of its record.
	if o.State != statePublished {
		return o.answer(), nil
	}
	if len(o.Own) > 0 && o.Touched == nil {
		kv, ok, _, err := s.store.Get(ctx, o.key())
		if err != nil {
			return Operation{}, err
		}
		if ok {
			o.touchOwn(kv.Create)
		}
	}
	return s.assess(ctx, o, mod, max(0, time.Until(deadline))), nil
}

// assess asks the nodes how far they are with a published operation, and keeps
// what it learned.
func (s *Service) assess(ctx context.Context, o opRecord, mod int64, wait time.Duration) Operation {
	a := o.answer()
	ws := wants(s.registered(), o.Touched)
	a.Nodes = len(ws)
	reached := make(map[string]int64, len(ws))
	var open []want
	for _, w := range ws {
		w.keys = o.Keys
		if ms, ok := o.Reached[w.id()]; ok {
			reached[w.id()] = ms
		} else {
			open = append(open, w)
		}
	}
	s.ask(ctx, open, wait, func(v verdict) {
		if v.state == "" {
			reached[v.want.id()] = max(0, v.at.Sub(o.created()).Milliseconds())
			return
		}
		a.Behind = append(a.Behind, Behind{
			Node: v.want.node.Name, Kind: v.want.node.Kind, State: v.state,
			Prefix: v.prefix, Applied: v.applied, Want: v.rev, Error: v.err,
		})
	})
	slices.SortFunc(a.Behind, func(x, y Behind) int {
		return cmp.Or(cmp.Compare(x.Node, y.Node), cmp.Compare(x.Kind, y.Kind))
	})
	a.InForce = len(reached)
	for _, ms := range reached {
		a.SlowestMS = max(a.SlowestMS, ms)
	}
	if a.InForce == a.Nodes {
		a.State = stateInForce
	}
	// In force on all of no nodes is true and may not stay so: nodes that
	// register later still count.
	if a.State == stateInForce && a.Nodes > 0 {
		o.State = stateInForce
	}
	if len(reached) > len(o.Reached) || o.State == stateInForce {
		o.Reached = reached
		if err := s.saveOperation(ctx, o, mod); err != nil && ctx.Err() == nil {
			s.log.Warn("progress of an operation not saved", obs.Op, o.ID, obs.Err, err)
		}
	}
	return a
}
