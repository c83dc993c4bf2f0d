package admit

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestRoomIsGivenBackAndNeverExceeded(t *testing.T) {
	r := NewRoom(3, slog.New(slog.DiscardHandler))
	for round := range 3 {
		for i := range 5 {
			if got, want := r.Enter(), i < 3; got != want {
				t.Errorf("round %d, connection %d: let in %t, want %t", round, i, got, want)
			}
		}
		for range 3 {
			r.Leave()
		}
	}
	if open, accepted, refused := r.Counts(); r.Taken() != 0 || open != 0 || accepted != 9 || refused != 6 {
		t.Errorf("%d connections are left over; counted %d, %d, %d, want 0, 9, 6", r.Taken(), open, accepted, refused)
	}
}

func TestLackOfRoomIsLoggedOnceInAWhile(t *testing.T) {
	var b bytes.Buffer
	r := NewRoom(0, slog.New(slog.NewTextHandler(&b, nil)))
	for range 100 {
		r.Enter()
		r.Short(errors.New("no descriptors"))
	}
	if n := strings.Count(b.String(), "\n"); n != 1 || !strings.Contains(b.String(), "max_conns=0") {
		t.Errorf("%d lines, want 1 that names the bound: %s", n, &b)
	}
}

func TestWaitEndsWithTheLastRequest(t *testing.T) {
	var f InFlight
	for range 200 {
		var all sync.WaitGroup
		for range 4 {
			f.Add()
			all.Go(f.Done)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		if err := f.Wait(ctx); err != nil || f.Count() != 0 {
			t.Fatalf("wait: %v, %d in flight", err, f.Count())
		}
		cancel()
		all.Wait()
	}
	f.Add()
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if err := f.Wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("wait with a request under way: %v", err)
	}
}
