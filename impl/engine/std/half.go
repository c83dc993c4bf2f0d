package std

import (
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// half is the wait of a client that sends no more before it has its answer. It has gone,
// or shut down its side only: nobody can tell until something is written to it. The
// library takes it for gone at once, so it is not told for as long as the client is sent
// something within the limit.
type half struct {
	limit time.Duration
	wrote atomic.Int64 // bytes to the client

	mu      sync.Mutex
	hurried bool          // nobody may wait in a read
	wake    chan struct{} // closed when that becomes so; nil: nobody waits
}

// watches tells whether a read into so many bytes is the one by which the library finds
// out, during a whole request, whether its client is still there. All others are of
// requests, and end with the client.
func watches(size int) bool { return size == 1 }

// wait returns the error of a read that found the end: end, or that its deadline has
// passed.
func (h *half) wait(end error) error {
	h.mu.Lock()
	if h.hurried {
		h.mu.Unlock()
		return os.ErrDeadlineExceeded
	}
	wake := make(chan struct{})
	h.wake = wake
	h.mu.Unlock()
	timer := time.NewTimer(h.limit)
	defer timer.Stop()
	for wrote := h.wrote.Load(); ; {
		select {
		case <-wake:
			return os.ErrDeadlineExceeded
		case <-timer.C:
			now := h.wrote.Load()
			if now == wrote {
				return end
			}
			wrote = now
			timer.Reset(h.limit)
		}
	}
}

// interrupt says whether reads have to return at once.
func (h *half) interrupt(now bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.hurried = now
	if now && h.wake != nil {
		close(h.wake)
		h.wake = nil
	}
}
