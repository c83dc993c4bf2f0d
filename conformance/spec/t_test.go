package spec

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
)

func TestClosedTTakesNothingMore(t *testing.T) {
	x := NewT(nil, Vars{ID: "a", Host: "a.example"})
	x.Step("one")
	x.Check(true, "fine")
	rec := x.Close()
	x.Check(false, "late")
	x.Logf("late")
	x.Attach("late", nil)
	x.Undecided("late")
	if again := x.Close(); rec.Failed || again.Failed || again.Unknown || len(again.Says) != 0 || len(again.Story) != 1 || len(again.Attachments) != 0 {
		t.Errorf("got %+v, then %+v", rec, again)
	}
}

func TestStoryHasALimit(t *testing.T) {
	x := NewT(nil, Vars{})
	for range 3 * MaxStoryLines {
		x.Logf("line")
		x.Check(false, "bad")
	}
	if r := x.Close(); len(r.Story) != MaxStoryLines || len(r.Says) != MaxStoryLines || !r.Failed {
		t.Errorf("got %d and %d lines", len(r.Story), len(r.Says))
	}
}

func TestTIsSafeForGoroutines(t *testing.T) {
	x := NewT(nil, Vars{})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			x.Check(false, "bad")
			x.Cleanup(func(context.Context) error { return nil })
			x.Attach("a", []byte("b"))
		})
	}
	wg.Wait()
	if r, c := x.Close(), x.Cleanups(); len(r.Says) != 8 || len(c) != 8 || len(x.Cleanups()) != 0 {
		t.Errorf("got %d lines and %d cleanups", len(r.Says), len(c))
	}
}

func TestZeroStateCountsAsFailed(t *testing.T) {
	if s := State(""); s.Counts() != Failed {
		t.Error("a result without a state must not pass")
	}
}

// stuck is a place in which nothing comes into force.
type stuck struct {
	Env
	err error
}

func (s stuck) Applied(context.Context, int64) error { return s.err }

func TestTroubleOfThePlaceIsNotTheGatewaysFailure(t *testing.T) {
	for name, c := range map[string]struct {
		err            error
		failed, broken bool
	}{
		"late":                 {context.DeadlineExceeded, true, false},
		"a full disk":          {&Trouble{Err: errors.New("no space left on device")}, false, true},
		"a full disk, wrapped": {fmt.Errorf("bj/az1/l7-1: %w", &Trouble{Err: errors.New("no space left on device")}), false, true},
	} {
		x := NewT(stuck{err: c.err}, Vars{})
		var wg sync.WaitGroup
		wg.Go(func() { x.Wait(t.Context()) }) // it ends its goroutine
		wg.Wait()
		if r := x.Close(); r.Failed != c.failed || r.Broken != c.broken {
			t.Errorf("%s: got failed %v, broken %v, want %v, %v", name, r.Failed, r.Broken, c.failed, c.broken)
		}
	}
}
