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

// kind tells the histograms of a cell apart.
type kind int

const (
	ofRequest kind = iota
	ofUpstream
	ofUs
	kinds
)

// histograms count durations. Most are short: what these touch lies together.
type histograms struct {
	sum   [kinds]atomic.Int64  // nanoseconds
	short [kinds]atomic.Uint64 // the first bucket
	long  [buckets - 1][kinds]atomic.Uint64
}

func (h *histograms) observe(k kind, d time.Duration) {
	h.sum[k].Add(int64(d))
	if d <= Bounds[0] {
		h.short[k].Add(1)
		return
	}
	i := 1
	for i < len(Bounds) && d > Bounds[i] {
		i++
	}
	h.long[i-1][k].Add(1)
}

// bucket is how many durations are in the bucket i.
func (h *histograms) bucket(k kind, i int) uint64 {
	if i == 0 {
		return h.short[k].Load()
	}
	return h.long[i-1][k].Load()
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
const cellPad = 56

// cell is what one lane has counted of a series. The first line of the cache, of 64
// bytes, is what nearly every request touches: with many routes each line costs as much
// as the rest of counting. Its size is a multiple of two lines
// of the cache, of which processors fetch two at a time, so that no two cells share
// one.
type cell struct {
	first    status
	took     histograms
	out, in  atomic.Uint64 // bytes
	retries  atomic.Uint64
	statuses [statuses - 1]status
	rest     atomic.Uint64 // answers whose status found no place
	failures [exchange.FailureKinds]atomic.Uint64
	cuts     [exchange.CutReasons]atomic.Uint64
	_        [cellPad]byte
}

// answered counts an answer by its status.
func (c *cell) answered(what uint64) {
	if c.first.counts(what) {
		return
	}
	for i := range c.statuses {
		if c.statuses[i].counts(what) {
			return
		}
	}
	c.rest.Add(1)
}

// counts counts an answer if it is of this status, or of the first that comes.
func (s *status) counts(what uint64) bool {
	at := s.what.Load()
	if at == 0 && s.what.CompareAndSwap(0, what) {
		at = what
	} else if at == 0 {
		at = s.what.Load() // somebody else was quicker
	}
	if at == what {
		s.n.Add(1)
	}
	return at == what
}
