package scenario

import (
	"context"
	"fmt"
	"time"

	"github.com/unilb/unilb/sim/admin"
	"github.com/unilb/unilb/sim/tenant"
)

// tellEvery is how often a long step says how far it has come.
const tellEvery = 5 * time.Second

// edit changes the targets of a service many times, each when the change before
// is in force.
func (r *runner) edit(ctx context.Context, e *Edit) (string, error) {
	begun, told := time.Now(), time.Now()
	for i := range e.Times {
		if time.Since(told) > tellEvery {
			told = time.Now()
			r.say(Line{Kind: LineStep, Name: "edit", Text: fmt.Sprintf("%s: %d of %d in force", e.Service, i, e.Times), At: r.region.Recorder.Now()})
		}
		if _, err := r.region.Retarget(ctx, r.services[e.Service], true, e.To[i%len(e.To)]); err != nil {
			return "", fmt.Errorf("edit %d of %d: %w", i+1, e.Times, err)
		}
	}
	return fmt.Sprintf("each in force, %s for one", (time.Since(begun) / time.Duration(e.Times)).Round(time.Millisecond)), nil
}

// A series is something that goes on while the steps do.
type series struct {
	end  context.CancelFunc // what is under way is not cut
	done chan struct{}
	// told waits, when the series is over, for what it must have led to, and says it.
	told func(context.Context) (string, error)
}

// stopSeries ends a series and waits for what it must have led to.
func (r *runner) stopSeries(ctx context.Context, name string) (string, error) {
	s := r.series[name]
	if s == nil {
		return "", fmt.Errorf("the series %q was not begun", name)
	}
	if err := s.over(ctx); err != nil {
		return "", err
	}
	return s.told(ctx)
}

// over ends the series and waits until nothing of it is under way.
func (s *series) over(ctx context.Context) error {
	s.end()
	select {
	case <-s.done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// startEdits changes the targets of a service until the series is ended. An edit
// that fails is tried again, as a careful client would; what became of it is in the
// history.
func (r *runner) startEdits(e *Edits) *series {
	ctx, end := context.WithCancel(context.Background())
	var last tenant.Operation
	var accepted, other int
	var failed error // of the last one that was not accepted
	s := &series{end: end, done: make(chan struct{})}
	go func() {
		defer close(s.done)
		for {
			// An edit under way is not cut: it may or may not be in force then.
			bounded, cancel := context.WithTimeout(context.Background(), drainLimit)
			op, err := r.region.Retarget(bounded, r.services[e.Service], false, e.To[accepted%len(e.To)])
			cancel()
			if err == nil {
				last, accepted = op, accepted+1
			} else {
				other, failed = other+1, err
			}
			if sleepUntil(ctx, max(e.Every, time.Millisecond)) != nil {
				return
			}
		}
	}()
	s.told = func(ctx context.Context) (string, error) {
		if accepted == 0 {
			return "", fmt.Errorf("no edit of %s was accepted: %w", e.Service, failed)
		}
		r.changes[e.Service] = last
		text, err := inForce(r.region.AwaitInForce(ctx, r.services[e.Service], last))
		return fmt.Sprintf("%d accepted, %d not; the last one %s", accepted, other, text), err
	}
	return s
}

// startAdmins lets administrators edit routes, each until its calls are made or the
// series is ended. What they do follows from the seed.
func (r *runner) startAdmins(a *Admins) *series {
	ctx, end := context.WithCancel(context.Background())
	var t admin.Tally
	var failed error
	s := &series{end: end, done: make(chan struct{})}
	go func() {
		defer close(s.done)
		t, failed = r.region.EditByAdmin(ctx, a.Region, admin.Edits{
			Name: "admin", Editors: a.Count, Keys: a.Keys, Calls: a.Calls, PerSecond: perSecond(a.Every), Seed: r.s.Seed,
		})
	}()
	s.told = func(context.Context) (string, error) {
		if ctx.Err() != nil && t.OK > 0 {
			failed = nil // it was ended, as it was to be
		}
		return fmt.Sprintf("%d calls happened, %d certainly did not, %d may have", t.OK, t.Fail, t.Info), failed
	}
	return s
}

// perSecond is the pace of one call each d; 0, without a pause, for 0.
func perSecond(d time.Duration) float64 {
	if d == 0 {
		return 0
	}
	return float64(time.Second) / float64(d)
}
