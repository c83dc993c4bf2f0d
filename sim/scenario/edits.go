package scenario

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/unilb/unilb/sim/tenant"
)

// edit changes the targets of a service many times, each when the change before
// is in force.
func (r *runner) edit(ctx context.Context, e *Edit) (string, error) {
	begun := time.Now()
	for i := range e.Times {
		if _, err := r.region.Retarget(ctx, r.services[e.Service], true, e.To[i%len(e.To)]); err != nil {
			return "", fmt.Errorf("edit %d of %d: %w", i+1, e.Times, err)
		}
	}
	return fmt.Sprintf("each in force, %s for one", (time.Since(begun) / time.Duration(e.Times)).Round(time.Millisecond)), nil
}

// A series is edits that go on while the steps do.
type series struct {
	service string
	ctx     context.Context // ends the series; it is the series' own
	end     context.CancelFunc
	done    sync.WaitGroup

	mu              sync.Mutex
	last            tenant.Operation
	accepted, other int
	err             error // of the last one that was not accepted
}

// startSeries edits until the series is ended. An edit that fails is tried again,
// as a careful client would; what became of it is in the history.
func (r *runner) startSeries(e *Edits) *series {
	ctx, end := context.WithCancel(context.Background())
	s := &series{service: e.Service, ctx: ctx, end: end}
	s.done.Go(func() {
		for i := 0; ; {
			// An edit under way is not cut: it may or may not be in force then.
			bounded, cancel := context.WithTimeout(context.Background(), drainLimit)
			op, err := r.region.Retarget(bounded, r.services[e.Service], false, e.To[i%len(e.To)])
			cancel()
			s.mu.Lock()
			if err == nil {
				s.last, s.accepted = op, s.accepted+1
				i++
			} else {
				s.other, s.err = s.other+1, err
			}
			s.mu.Unlock()
			if sleepUntil(ctx, max(e.Every, time.Millisecond)) != nil {
				return
			}
		}
	})
	return s
}

// stopSeries ends a series and waits until its last edit is in force.
func (r *runner) stopSeries(ctx context.Context, name string) (string, error) {
	s := r.series[name]
	if s == nil {
		return "", fmt.Errorf("the series %q was not begun", name)
	}
	s.end()
	s.done.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.accepted == 0 {
		return "", fmt.Errorf("no edit of %s was accepted: %w", s.service, s.err)
	}
	r.changes[s.service] = s.last
	text, err := inForce(r.region.AwaitInForce(ctx, r.services[s.service], s.last))
	return fmt.Sprintf("%d accepted, %d not; the last one %s", s.accepted, s.other, text), err
}
