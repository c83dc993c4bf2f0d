package linelog

import (
	"sync"
	"sync/atomic"
)

// chunkSize is the size in bytes of a buffer, and so of most writes.
const chunkSize = 64 << 10

// chunksKept bounds the empty buffers that a lane keeps: more than come to be while the
// writer waits for its turn.
const chunksKept = 8

// lane is what the loops of one lane write to. Whoever holds its lock does not wait
// for anything: the writer takes and gives back slices, no more.
type lane struct {
	mu     sync.Mutex
	now    []byte   // being filled
	full   [][]byte // for the writer, the oldest first
	free   [][]byte // empty
	closed bool

	dropped atomic.Int64 // lines
	_       [64]byte     // no two lanes share a line of the cache
}

// append forms a line of about size bytes. It returns whether a buffer is full, and
// whether there was room.
func (a *lane) append(size, most int, form func([]byte) []byte) (wake, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return false, false
	}
	if cap(a.now)-len(a.now) < size {
		if len(a.full) >= most {
			return true, false
		}
		wake = a.turn(size)
	}
	a.now = form(a.now)
	return wake, true
}

// turn begins another buffer, with room for size bytes. a.mu is held.
func (a *lane) turn(size int) (wake bool) {
	if len(a.now) > 0 {
		a.full, wake = append(a.full, a.now), true
	}
	if n := len(a.free); n > 0 && size <= chunkSize {
		a.now, a.free = a.free[n-1], a.free[:n-1]
	} else {
		a.now = make([]byte, 0, max(size, chunkSize))
	}
	return wake
}

// take returns everything that was written, the oldest first.
func (a *lane) take(into [][]byte) [][]byte {
	a.mu.Lock()
	defer a.mu.Unlock()
	into = append(into, a.full...)
	clear(a.full)
	a.full = a.full[:0]
	if len(a.now) > 0 {
		into = append(into, a.now)
		a.now = nil
		if n := len(a.free); n > 0 {
			a.now, a.free = a.free[n-1], a.free[:n-1]
		}
	}
	return into
}

// giveBack returns a buffer that has been written. One that grew for a long line,
// or that a jam had needed, goes to the collector.
func (a *lane) giveBack(b []byte) {
	if cap(b) != chunkSize {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.free) < chunksKept {
		a.free = append(a.free, b[:0])
	}
}

// end makes every further line a dropped one.
func (a *lane) end() {
	a.mu.Lock()
	a.closed = true
	a.mu.Unlock()
}
