package loop

import (
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

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
