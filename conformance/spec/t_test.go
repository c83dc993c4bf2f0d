package spec

import (
	"context"
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
