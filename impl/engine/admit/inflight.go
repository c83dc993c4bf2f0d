package admit

import (
	"context"
	"sync"
	"sync/atomic"
)

// InFlight counts requests under way and lets one wait for none. The zero value is
// ready for use.
type InFlight struct {
	n    atomic.Int64
	wake atomic.Bool // somebody waits

	mu   sync.Mutex
	none chan struct{} // closed when n reaches 0; nil: nobody waits
}

// Add counts one request more.
func (f *InFlight) Add() { f.n.Add(1) }

// Done counts one request less.
func (f *InFlight) Done() {
	if f.n.Add(-1) == 0 && f.wake.Load() {
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.none != nil {
			close(f.none)
			f.none = nil
		}
	}
}

// Count is the number of requests under way.
func (f *InFlight) Count() int { return int(f.n.Load()) }

// Wait returns when no request is under way, or the error of ctx.
func (f *InFlight) Wait(ctx context.Context) error {
	for {
		f.mu.Lock()
		if f.none == nil {
			f.none = make(chan struct{})
		}
		none := f.none
		f.wake.Store(true)
		f.mu.Unlock()
		if f.n.Load() == 0 {
			return nil
		}
		select {
		case <-none:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
