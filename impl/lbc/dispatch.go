package lbc

import (
	"context"
	"time"
)

// adoptAfter is how long a unit may wait for the replica that took its last
// change, if that lives: it may reach etcd and not the Admin API.
const adoptAfter = 20 * time.Second

// dispatch starts the publication of units with pending operations: those that
// this replica took, and those of replicas that are gone or get nowhere.
func (s *Service) dispatch(ctx context.Context) error {
	type start struct {
		op   string // the newest pending operation
		seen time.Time
		mine bool
	}
	started := make(map[unit]start)
	for {
		s.mu.RLock()
		changed := s.changed
		s.mu.RUnlock()
		others := s.replicas.next()
		alive, keeper := s.alive(), s.keeper()
		var again <-chan time.Time
		s.view(func(m *Model) {
			for u := range started {
				if !m.pending[u] {
					delete(started, u)
				}
			}
			for u := range m.pending {
				rec := m.units[u]
				last := rec.Ops[len(rec.Ops)-1]
				st, known := started[u]
				if known && st.op == last && st.mine {
					continue
				}
				if !known || st.op != last {
					st = start{op: last, seen: time.Now()}
				}
				orphan := !alive[rec.By] && keeper
				st.mine = rec.By == s.instance || orphan || s.o.Etcd != nil && time.Since(st.seen) >= adoptAfter
				started[u] = st
				if st.mine {
					s.queue.add(ctx, u)
				} else if again == nil {
					again = time.After(adoptAfter)
				}
			}
		})
		select {
		case <-changed:
		case <-others:
		case <-again:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// trackAll follows published operations, so that how long they took is measured
// whether or not somebody asks. When too many are under way, the rest is
// measured when somebody asks.
func (s *Service) trackAll(ctx context.Context) error {
	slots := make(chan struct{}, maxTrackers)
	defer func() {
		for range maxTrackers { // all have ended when all slots can be had
			slots <- struct{}{}
		}
	}()
	for {
		select {
		case id := <-s.track:
			select {
			case slots <- struct{}{}:
				go func() {
					defer func() { <-slots }()
					s.trackOne(ctx, id)
				}()
			default:
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (s *Service) trackOne(ctx context.Context, id string) {
	ctx, cancel := context.WithTimeout(ctx, trackTimeout)
	defer cancel()
	// Short waits first: a node that does not answer must not keep what is
	// known of the others from being written down.
	for wait := 500 * time.Millisecond; ctx.Err() == nil; wait = min(4*wait, maxOperationWait) {
		a, err := s.Operation(ctx, id, wait)
		if err == nil && a.State != statePublished || err != nil && !sleep(ctx, wait) {
			return
		}
	}
}

// startTracking has an operation followed, if there is room.
func (s *Service) startTracking(id string) {
	select {
	case s.track <- id:
	default:
	}
}
