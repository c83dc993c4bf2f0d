package lbc

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/unilb/unilb/impl/obs"
	"github.com/unilb/unilb/impl/store"
	"github.com/unilb/unilb/impl/vpc"
)

const (
	// driftPause is how long changes of our objects are collected before their
	// units are looked at: most are publications that are still going on.
	driftPause = time.Second
	// keepPause is how long the keeper leaves things alone after an error.
	keepPause = time.Second
	// prunePause is the time between two removals of old operations.
	prunePause = time.Minute
	// movesPerCommit keeps commits of addresses below etcd's limit of 128
	// operations.
	movesPerCommit = 40
)

// drifts collects units whose published objects changed. It is safe for
// concurrent use.
type drifts struct {
	mu     sync.Mutex
	units  map[unit]bool
	signal chan struct{} // capacity 1
}

func (d *drifts) add(buckets []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.units == nil {
		d.units = make(map[unit]bool)
	}
	for _, b := range buckets {
		kind, name, _ := strings.Cut(b, "/")
		d.units[unit{kind, name}] = true
	}
	select {
	case d.signal <- struct{}{}:
	default:
	}
}

func (d *drifts) take() map[unit]bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	units := d.units
	d.units = nil
	return units
}

// keep does, while this replica is the keeper, what no request asks for: it ends
// drains and quarantines, forgets old operations, and looks at units whose
// published objects changed, once at least at each. Such a change is a
// publication, or somebody who edited what is ours, or the late write of a
// replica that was stopped for a long time: see pass.
func (s *Service) keep(ctx context.Context) error {
	was := false
	var pruned time.Time
	var drift <-chan time.Time
	for {
		s.mu.RLock()
		changed := s.changed
		s.mu.RUnlock()
		nodes, others := s.nodes.next(), s.replicas.next()
		var wake <-chan time.Time
		var moving bool
		if keeper := s.keeper(); keeper {
			if !was {
				s.drifts.add(s.everyUnit())
				s.log.Info("keeper of the region now", "instance", s.instance)
			}
			was = true
			now := time.Now()
			var next time.Duration
			next, moving = s.advance(ctx, now)
			if now.Sub(pruned) >= prunePause {
				pruned = now
				s.pruneOperations(ctx, now)
			}
			wake = time.After(min(next, prunePause))
		} else {
			was = false
		}
		if !moving {
			nodes = nil // reports matter to drains and quarantines only
		}
		select {
		case <-changed:
		case <-nodes:
		case <-others:
		case <-wake:
		case <-s.drifts.signal:
			if drift == nil {
				drift = time.After(driftPause)
			}
		case <-drift:
			drift = nil
			if units := s.drifts.take(); was {
				s.inspect(ctx, units)
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// everyUnit returns all units there are, in the model or published.
func (s *Service) everyUnit() []string {
	all := make(map[string]bool)
	s.view(func(m *Model) {
		for tg := range m.tgs {
			all[unit{kindTG, tg}.String()] = true
		}
		for lb := range m.lbs {
			all[unit{kindLB, lb}.String()] = true
		}
		for u := range m.units {
			all[u.String()] = true
		}
	})
	for _, name := range s.apisix.names() {
		all[name] = true
	}
	return slices.Sorted(maps.Keys(all))
}

// inspect has units published that nobody publishes now. Listeners carry no
// label: those of load balancers that we do not know are left alone.
func (s *Service) inspect(ctx context.Context, units map[unit]bool) {
	for u := range units {
		ours := len(s.apisix.in(u.String())) > 0
		s.view(func(m *Model) {
			_, known := m.units[u]
			ours = (ours || known || m.tgs[u.name] != nil || m.lbs[u.name] != nil) && !m.pending[u]
		})
		if ours {
			s.queue.add(ctx, u)
		}
	}
}

// advance takes each draining or quarantined address as far as it can go now. It
// returns when to look again at the latest, and whether any address is on its
// way.
func (s *Service) advance(ctx context.Context, now time.Time) (next time.Duration, moving bool) {
	next = time.Hour
	var moves []move
	s.view(func(m *Model) {
		moving = len(m.moving) > 0
		for unique := range m.moving {
			a := m.table.Get(unique)
			mv, wait := s.nextMove(a, m.mods[addressKey(unique)], now)
			if mv != nil {
				moves = append(moves, *mv)
			} else if wait > 0 {
				next = min(next, wait)
			}
		}
	})
	slices.SortFunc(moves, func(a, b move) int { return cmp.Compare(a.cond.Key, b.cond.Key) })
	for batch := range slices.Chunk(moves, movesPerCommit) {
		var conds []store.Cond
		var ops []store.Op
		for _, mv := range batch {
			conds = append(conds, mv.cond)
			ops = append(ops, mv.ops...)
		}
		_, err := s.store.Commit(ctx, conds, ops...)
		var lost *store.ConflictError
		if err != nil {
			next = min(next, keepPause)
			if !errors.As(err, &lost) && ctx.Err() == nil {
				s.log.Warn("addresses not moved on", obs.Err, err)
			}
		}
	}
	return next, moving
}

// A move is one step of an address that leaves its owner.
type move struct {
	cond store.Cond
	ops  []store.Op
}

// nextMove returns the step that is due for an address at revision mod, or how
// long to wait for it; neither when it waits for nodes.
func (s *Service) nextMove(a vpc.Address, mod int64, now time.Time) (*move, time.Duration) {
	if wait := a.Until.Sub(now); !a.Until.IsZero() && wait > 0 {
		return nil, wait
	}
	var to vpc.Address
	var err error
	var gone []store.Op
	switch a.State {
	case vpc.Draining:
		// Asked at both ends of the drain: a gateway that registered meanwhile may
		// know less than those that were there.
		if ok, _ := s.reported(s.registered(), map[string]int64{dirUpstreams: a.Barrier}); !ok {
			return nil, 0
		}
		if a.Until.IsZero() {
			to, err = a.Reached(now.Add(s.o.Drain))
			break
		}
		to, err = a.Withdraw(now, now.Add(s.o.Quarantine))
		gone = []store.Op{
			{Key: vpc.MappingKey(a.UniqueIP), Delete: true},
			{Key: ownerKey(a.Owner), Delete: true},
		}
	case vpc.Quarantine:
		// The record is as old as the deletion of the mapping. An agent that has
		// not seen it may still forward to the last owner, also while it is
		// down: nobody else gets the address.
		if ok, _ := s.reported(s.mappers(), map[string]int64{dirMappings: mod}); !ok {
			return nil, 0
		}
		to, err = a.Free(now)
	default:
		return nil, 0
	}
	if err != nil {
		s.log.Error("address cannot move on", "unique_ip", a.UniqueIP.String(), obs.Err, err)
		return nil, keepPause
	}
	return &move{
		cond: store.Cond{Key: addressKey(a.UniqueIP), Mod: mod},
		ops:  append(addressChange{address: to}.ops(), gone...),
	}, 0
}
