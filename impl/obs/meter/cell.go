package meter

import (
	"sync/atomic"
	"time"

	"github.com/unilb/unilb/impl/exchange"
)

// Bounds are the upper bounds of the buckets of every histogram, those of APISIX. One
// more bucket takes what is longer.
var Bounds = [...]time.Duration{
	1 * time.Millisecond, 2 * time.Millisecond, 5 * time.Millisecond, 10 * time.Millisecond, 20 * time.Millisecond, 50 * time.Millisecond,
	100 * time.Millisecond, 200 * time.Millisecond, 500 * time.Millisecond, 1 * time.Second, 2 * time.Second, 5 * time.Second,
	10 * time.Second, 30 * time.Second, 60 * time.Second,
}

// buckets is their number.
const buckets = len(Bounds) + 1

// histogram counts durations. Its sum comes first: beside the buckets of short
// durations, which are most.
type histogram struct {
	sum atomic.Int64 // nanoseconds
	n   [buckets]atomic.Uint64
}

func (h *histogram) observe(d time.Duration) {
	h.sum.Add(int64(d))
	for i := range Bounds {
		if d <= Bounds[i] {
			h.n[i].Add(1)
			return
		}
	}
	h.n[len(Bounds)].Add(1)
}

// statuses bounds the pairs of status and source that a cell tells apart. A target
// may answer with any status, a sane one with a few.
const statuses = 14

// status counts answers of one status and source.
type status struct {
	what atomic.Uint64 // see statusOf; 0: free
	n    atomic.Uint64
}

// statusOf is the number of a pair, never 0.
func statusOf(code int, upstream bool) uint64 {
	n := uint64(code)<<2 | 1
	if upstream {
		n |= 2
	}
	return n
}

// cellPad makes the size of a cell what it says.
const cellPad = 16

// cell is what one lane has counted of a series. Its size is a multiple of two lines
// of the cache, of which processors fetch two at a time, so that no two cells share
// one.
type cell struct {
	statuses              [statuses]status
	rest                  atomic.Uint64 // answers whose status found no place
	in, out               atomic.Uint64 // bytes
	retries, cut          atomic.Uint64
	request, upstream, us histogram
	failures              [exchange.FailureKinds]atomic.Uint64
	_                     [cellPad]byte
}

// answered counts an answer by its status.
func (c *cell) answered(what uint64) {
	for i := range c.statuses {
		s := &c.statuses[i]
		at := s.what.Load()
		if at == 0 && s.what.CompareAndSwap(0, what) {
			at = what
		} else if at == 0 {
			at = s.what.Load() // somebody else was quicker
		}
		if at == what {
			s.n.Add(1)
			return
		}
	}
	c.rest.Add(1)
}
