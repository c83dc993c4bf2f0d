package loop

import (
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"runtime/debug"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestLoopWaitsTheRawWayFirstAndNotForLong holds the two rules of wait.
func TestLoopWaitsTheRawWayFirstAndNotForLong(t *testing.T) {
	const never, ms = -1, time.Millisecond
	for _, c := range []struct {
		limit    time.Duration
		rawCame  int
		rawSaid  syscall.Errno
		thenCame int
		thenSaid error
		want     []string
		events   int
	}{
		{limit: 0, want: []string{"raw 0"}},
		{limit: 1, want: []string{"raw 1"}},
		{limit: 3 * ms, want: []string{"raw 3"}},
		{limit: rawWait, want: []string{"raw 5"}},
		{limit: 20 * ms, want: []string{"raw 5", "scheduled 15"}},
		{limit: rawWait + 1, want: []string{"raw 5", "scheduled 1"}},
		{limit: never, want: []string{"raw 5", "scheduled -1"}},
		{limit: never, thenCame: 2, want: []string{"raw 5", "scheduled -1"}, events: 2},
		{limit: never, rawCame: 3, want: []string{"raw 5"}, events: 3},
		{limit: 20 * ms, rawCame: 3, want: []string{"raw 5"}, events: 3},
		{limit: 3 * ms, rawCame: 1, want: []string{"raw 3"}, events: 1},
		{limit: never, rawSaid: unix.EINTR, want: []string{"raw 5", "yield"}},
		{limit: 20 * ms, rawSaid: unix.EINTR, want: []string{"raw 5", "yield"}},
		{limit: 3 * ms, rawSaid: unix.EINTR, want: []string{"raw 3", "yield"}},
		{limit: never, rawSaid: unix.EBADF, want: []string{"raw 5"}},
		{limit: never, thenSaid: unix.EINTR, want: []string{"raw 5", "scheduled -1"}},
	} {
		var did []string
		p := &poller{ep: 7, events: make([]unix.EpollEvent, batchEvents)}
		see := func(how string, ep int, events []unix.EpollEvent, ms int) {
			did = append(did, fmt.Sprint(how, " ", ms))
			if ep != p.ep || len(events) != batchEvents {
				t.Errorf("%s: waits on %d for up to %d events", how, ep, len(events))
			}
		}
		p.raw = func(ep int, events []unix.EpollEvent, ms int) (int, syscall.Errno) {
			see("raw", ep, events, ms)
			if c.rawSaid != 0 {
				return -1, c.rawSaid
			}
			return c.rawCame, 0
		}
		p.scheduled = func(ep int, events []unix.EpollEvent, ms int) (int, error) {
			see("scheduled", ep, events, ms)
			if c.thenSaid != nil {
				return -1, c.thenSaid
			}
			return c.thenCame, nil
		}
		p.yield = func() { did = append(did, "yield") }
		if got := len(p.wait(c.limit)); got != c.events || !slices.Equal(did, c.want) {
			t.Errorf("limit %s, raw %d %v, scheduled %d %v: got %d events by %q, want %d by %q", c.limit, c.rawCame, c.rawSaid, c.thenCame, c.thenSaid, got, did, c.events, c.want)
		}
	}
}

// TestCollectionInterruptsTheRawWayAlone: the real ways are what wait takes them for.
// The runtime interrupts a thread that it believes to be running.
func TestCollectionInterruptsTheRawWayAlone(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	const tries, collections, long = 5, 20, 20_000 // ms
	interrupted := func(wait func(p *poller) error) (times int) {
		for range tries {
			p, err := newPoller()
			if err != nil {
				t.Fatal(err)
			}
			var end [2]int
			if err := unix.Pipe2(end[:], unix.O_CLOEXEC); err != nil {
				t.Fatal(err)
			}
			p.add(end[0], unix.EPOLLIN, 0)
			begins, said := make(chan struct{}), make(chan error, 1)
			go func() {
				runtime.LockOSThread()
				defer runtime.UnlockOSThread()
				close(begins)
				said <- wait(p)
			}()
			<-begins
			for range collections {
				runtime.GC()
			}
			_, _ = unix.Write(end[1], []byte{1}) // a pipe has room
			if err := <-said; errors.Is(err, unix.EINTR) {
				times++
			} else if err != nil {
				t.Error(err)
			}
			closeFD(end[0])
			closeFD(end[1])
			closeFD(p.ep)
		}
		return times
	}
	if n := interrupted(func(p *poller) error {
		if _, e := p.raw(p.ep, p.events, long); e != 0 {
			return e
		}
		return nil
	}); n == 0 {
		t.Errorf("no raw wait of %d was interrupted: the scheduler knows of them", tries)
	}
	// One may be, that was about to begin.
	if n := interrupted(func(p *poller) error { _, err := p.scheduled(p.ep, p.events, long); return err }); n == tries {
		t.Errorf("all of %d waits were interrupted: the scheduler does not know of them", n)
	}
	p, err := newPoller()
	if err != nil {
		t.Fatal(err)
	}
	closeFD(p.ep)
	if reflect.ValueOf(p.yield).Pointer() != reflect.ValueOf(runtime.Gosched).Pointer() {
		t.Error("a loop yields otherwise than by runtime.Gosched")
	}
}

// TestCollectionsGoOnBesideWaitingLoops keeps the rule that a loop yields after an
// interrupted wait: without it a collection may wait for a loop without end. What is
// relied upon is behaviour of the runtime, not contract, of go1.26.
func TestCollectionsGoOnBesideWaitingLoops(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	var stop atomic.Bool
	ended := make(chan struct{}, 2)
	for range 2 {
		p, err := newPoller()
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			runtime.LockOSThread()
			for !stop.Load() {
				p.wait(10 * time.Millisecond)
			}
			closeFD(p.ep)
			ended <- struct{}{}
		}()
	}
	const collections, bound = 100, 30 * time.Second
	begin := time.Now()
	for range collections {
		runtime.GC()
		if time.Since(begin) > bound {
			t.Fatalf("collections take more than %s", bound)
		}
	}
	stop.Store(true)
	<-ended
	<-ended
	var s debug.GCStats
	s.PauseQuantiles = make([]time.Duration, 3)
	debug.ReadGCStats(&s)
	t.Logf("%d collections in %s, pauses up to %s, %s", collections, time.Since(begin).Round(time.Millisecond), s.PauseQuantiles[2], runtime.Version())
}

func TestIdleLoopCostsNothing(t *testing.T) {
	p, err := newPoller()
	if err != nil {
		t.Fatal(err)
	}
	defer closeFD(p.ep)
	var before, after syscall.Rusage
	const thread = 1 // RUSAGE_THREAD
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	const waits, each = 10, 50 * time.Millisecond
	_ = syscall.Getrusage(thread, &before)
	for range waits {
		p.wait(each)
	}
	_ = syscall.Getrusage(thread, &after)
	used := time.Duration(after.Utime.Nano() + after.Stime.Nano() - before.Utime.Nano() - before.Stime.Nano())
	if used > waits*each/4 { // a loop that spins uses all of it
		t.Errorf("waiting %s took %s of the processor", waits*each, used)
	}
}
