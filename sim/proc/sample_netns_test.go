//go:build netns

package proc_test

import (
	"context"
	"testing"
	"time"

	"github.com/unilb/unilb/sim/proc"
)

func TestSamplesFollowAProcessUntilItsEnd(t *testing.T) {
	r, ns := runner(t)
	busy := parent(t, r, ns, "exec 7</dev/null 8</dev/null; while :; do :; done")
	clock := time.Duration(0)
	now := func() time.Duration { clock++; return clock }
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	samples, over := make(chan proc.Sample), make(chan struct{})
	go func() {
		r.Sample(ctx, time.Millisecond, now, func(s proc.Sample) { samples <- s })
		close(over)
	}()
	var last proc.Sample
	waitFor(t, "a sample shows CPU time, memory and the descriptors", func() bool {
		s := <-samples
		if s.Pid != busy.Pid() || s.Name != busy.Name() || s.At <= last.At || s.CPU < last.CPU {
			t.Fatalf("got %+v after %+v", s, last)
		}
		last = s
		return s.CPU > 0 && s.RSS > 0 && s.Files >= 5
	})
	if err := busy.Kill(); err != nil {
		t.Fatal(err)
	}
	<-busy.Done()
	other := parent(t, r, ns, "exec sleep 1000")
	waitFor(t, "samples are of the process that runs", func() bool { return (<-samples).Pid == other.Pid() })
	cancel()
	for deadline := time.After(10 * time.Second); ; {
		select {
		case s := <-samples:
			if s.Pid != other.Pid() {
				t.Errorf("a sample of a process that has ended: %+v", s)
			}
		case <-over:
			return
		case <-deadline:
			t.Fatal("sampling does not end")
		}
	}
}
