package loop

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// A naive twin of the wheel: a list that is looked through.
func TestWheelFiresEverythingInItsTimeAndNothingBefore(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 1))
	const socks, steps, far = 40, 20_000, int64(3 * slots * tick)
	var w wheel
	all := make([]*sock, socks)
	for i := range all {
		all[i] = &sock{}
	}
	now := int64(1)
	for step := range steps {
		s := all[r.IntN(socks)]
		switch r.IntN(4) {
		case 0:
			w.arm(s, now+1+r.Int64N(far))
		case 1:
			w.arm(s, now+1+r.Int64N(int64(3*tick)))
		case 2:
			w.arm(s, 0)
		case 3:
			w.remove(s)
			s.deadline = 0
		}
		before := now
		now += r.Int64N(int64(2 * tick))
		if r.IntN(500) == 0 {
			now += far // a long sleep
		}
		var due []*sock
		wants := map[*sock]int64{}
		for _, s := range all {
			if s.deadline != 0 {
				wants[s] = s.deadline
			}
		}
		w.advance(now, func(s *sock) { due = append(due, s) })
		for _, s := range due {
			if d := wants[s]; d == 0 || d > now {
				t.Fatalf("seed %d, step %d: fired at %d, the deadline is %d", seed, step, now, d)
			}
			delete(wants, s)
		}
		for s, d := range wants {
			if late := before - d; late > int64(tick) {
				t.Fatalf("seed %d, step %d: not fired %s after its deadline, slot %d of %d", seed, step, time.Duration(late), s.queued, w.at)
			}
		}
		// Whoever waits for the next slot does not sleep past a deadline by more than a tick.
		next := w.next(now)
		for _, s := range all {
			if s.deadline != 0 && (next < 0 || int64(next) > max(0, s.deadline-now)+2*int64(tick)) {
				t.Fatalf("seed %d, step %d: waits %s, and something is due in %s", seed, step, next, time.Duration(s.deadline-now))
			}
		}
	}
}

func TestSocketEndedByATimerDoesNotStopTheOthersOfItsSlot(t *testing.T) {
	var w wheel
	all := make([]*sock, 5)
	for i := range all {
		all[i] = &sock{gen: uint32(i)}
		w.arm(all[i], int64(tick))
	}
	var fired []uint32
	w.advance(int64(3*tick), func(s *sock) {
		fired = append(fired, s.gen)
		if s.gen == 3 { // two of the others end with it
			for _, i := range []int{1, 2} {
				w.remove(all[i])
				all[i].deadline = 0
			}
		}
	})
	slices.Sort(fired)
	if want := []uint32{0, 3, 4}; !slices.Equal(fired, want) {
		t.Errorf("fired %v, want %v", fired, want)
	}
}
