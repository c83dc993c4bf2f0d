package meter

import (
	"sync/atomic"
	"time"

	"github.com/unilb/unilb/impl/exchange"
)

// Key names a series.
type Key struct {
	Route string // id; "": no route matched
	Node  string // host of the target; "": the request met none
}

// Labels are what else is said about a series. They follow from its route.
type Labels struct {
	Service   string // id
	URI, Host string // the patterns of the route, where it has one only
}

// Series counts the requests of one key.
type Series struct {
	Key
	Labels
	cells []atomic.Pointer[cell] // by lane
	gone  atomic.Bool
}

// Gone tells that the series was dropped: what is counted for it is lost.
func (s *Series) Gone() bool { return s.gone.Load() }

func newSeries(k Key, l Labels, lanes int) *Series {
	return &Series{Key: k, Labels: l, cells: make([]atomic.Pointer[cell], lanes)}
}

func (s *Series) cell(lane int) *cell {
	at := &s.cells[lane%len(s.cells)]
	if c := at.Load(); c != nil {
		return c
	}
	at.CompareAndSwap(nil, new(cell)) // whoever is first
	return at.Load()
}

// Outcome is what came of a request.
type Outcome struct {
	Status int // 0: the client got no answer
	// Asked: a target was, and Waited is the time until its answer, or the last of the
	// tries to get one, has come or failed.
	Asked  bool
	Waited time.Duration
	// Upstream: the answer is that of the upstream.
	Upstream bool
	// Took is the time from the head of the request to the last byte.
	Took time.Duration
	// Received and Sent count bytes from and to the client.
	Received, Sent int64
	// Retries are the tries beyond the first.
	Retries int
	// Cut: the answer did not end as its head promised, or never came. CutReason says
	// why; it has no meaning otherwise.
	Cut       bool
	CutReason exchange.CutReason
}

// Done counts a request.
func (s *Series) Done(lane int, o Outcome) {
	c := s.cell(lane)
	c.answered(statusOf(o.Status, o.Upstream))
	c.took.observe(ofRequest, o.Took)
	own := o.Took
	if o.Asked {
		c.took.observe(ofUpstream, o.Waited)
		own = max(0, own-o.Waited) // two clocks
	}
	c.took.observe(ofUs, own)
	if o.Received > 0 {
		c.in.Add(uint64(o.Received))
	}
	if o.Sent > 0 {
		c.out.Add(uint64(o.Sent))
	}
	if o.Retries > 0 {
		c.retries.Add(uint64(o.Retries))
	}
	if o.Cut && int(o.CutReason) < exchange.CutReasons {
		c.cuts[o.CutReason].Add(1)
	}
}

// Failed counts a try that gave no answer.
func (s *Series) Failed(lane int, kind exchange.FailureKind) {
	if int(kind) < exchange.FailureKinds {
		s.cell(lane).failures[kind].Add(1)
	}
}
