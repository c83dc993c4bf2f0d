package std

import (
	"context"
	"sync"
	"time"

	"github.com/unilb/unilb/impl/exchange"
)

// watch cancels an attempt when nothing moves for too long. It is armed again
// at each step, so that it measures silence, not the whole.
type watch struct {
	cancel context.CancelFunc

	mu    sync.Mutex
	timer *time.Timer
	round int // a timer that fires for an earlier round is stale
	kind  exchange.FailureKind
	hit   bool
	end   bool
}

func newWatch(cancel context.CancelFunc) *watch { return &watch{cancel: cancel} }

// arm replaces what is watched for.
func (w *watch) arm(kind exchange.FailureKind, after time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.hit || w.end {
		return
	}
	w.round++
	round := w.round
	if w.timer != nil {
		w.timer.Stop()
	}
	w.kind = kind
	w.timer = time.AfterFunc(after, func() { w.fire(round) })
}

func (w *watch) fire(round int) {
	w.mu.Lock()
	stale := round != w.round || w.end
	if !stale {
		w.hit = true
	}
	w.mu.Unlock()
	if !stale {
		w.cancel()
	}
}

// stop watches for nothing until the next arm.
func (w *watch) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.round++
	if w.timer != nil {
		w.timer.Stop()
	}
}

// fired tells whether, and what for, the watch has cancelled.
func (w *watch) fired() (exchange.FailureKind, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.kind, w.hit
}
