package traffic

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/unilb/unilb/sim/history"
)

// pulse follows how a stream fares.
type pulse struct {
	mu      sync.Mutex
	since   time.Duration // nothing bad ended later than this; valid when good > 0
	good    int           // operations since then
	total   int
	last    history.Op               // the last bad one
	under   map[uint64]time.Duration // when each request under way was to be sent, by its number
	changed chan struct{}            // closed by the next operation; nil when nobody waits for it
}

// begin notes a request that is sent.
func (p *pulse) begin(n uint64, at time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.under == nil {
		p.under = map[uint64]time.Duration{}
	}
	p.under[n] = at
}

// settled says whether every request that was to be sent before a moment has ended.
// One that hangs has not failed yet, but neither has it succeeded.
func (p *pulse) settled(before time.Duration) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, at := range p.under {
		if at < before {
			return false
		}
	}
	return true
}

// end notes how it ended.
func (p *pulse) end(n uint64, o history.Op) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.under, n)
	p.total++
	if o.Outcome == history.OK && o.Class == history.ClassNone {
		if p.good == 0 {
			p.since = max(o.Sent, p.last.Returned)
		}
		p.good++
	} else {
		p.good, p.last = 0, o
	}
	if p.changed != nil {
		close(p.changed)
		p.changed = nil
	}
}

type beat struct {
	since   time.Duration
	good    int
	total   int
	last    history.Op
	changed <-chan struct{}
}

func (p *pulse) now() beat {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.changed == nil {
		p.changed = make(chan struct{})
	}
	return beat{since: p.since, good: p.good, total: p.total, last: p.last, changed: p.changed}
}

// Steady waits until every request of a window that begins now or later and
// lasts that long has succeeded, those under way at its end included, and the window was not too thin: at a fixed
// rate it holds at least half of the requests that the rate promises.
func (s *Stream) Steady(ctx context.Context, lasting time.Duration) error {
	_, err := s.SteadyFrom(ctx, s.rec.Now(), lasting)
	return err
}

// SteadyFrom waits for a window of success that begins at the given moment of
// the run or later, and returns when it began.
func (s *Stream) SteadyFrom(ctx context.Context, from, lasting time.Duration) (time.Duration, error) {
	need := 1
	if s.load.Rate > 0 {
		need = max(1, int(s.load.Rate*lasting.Seconds()/2))
	}
	base := s.health.now() // requests that ended before are not of the window
	for {
		b := s.health.now()
		begun := max(b.since, from)
		inWindow := b.good
		if b.since < from {
			inWindow = b.total - base.total // since the call, which is at or after from
		}
		left := begun + lasting - s.rec.Now()
		if b.good > 0 && inWindow >= need && left <= 0 && s.health.settled(begun+lasting) {
			return begun, nil
		}
		var alarm <-chan time.Time
		if left > 0 {
			alarm = time.After(left)
		}
		select {
		case <-b.changed:
		case <-alarm:
		case <-ctx.Done():
			return 0, fmt.Errorf("load %q not steady for %s (%d good requests since +%s, last bad %s %s %s): %w",
				s.load.Name, lasting, b.good, b.since.Round(time.Millisecond), b.last.ID, b.last.Class, b.last.Error, context.Cause(ctx))
		}
	}
}

// Total is the number of requests that have ended.
func (s *Stream) Total() int { return s.health.now().total }
