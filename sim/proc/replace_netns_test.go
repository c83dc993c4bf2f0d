//go:build netns

package proc_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/sim/proc"
)

// The successor is the process from then on: its signals, its end and its exit code,
// although the one that was started is gone at once.
func TestSuccessorTakesThePlaceOfItsParent(t *testing.T) {
	r, ns := runner(t)
	for range 20 {
		p := play(t, r, ns, "replaced", "")
		if err := p.WaitReady(bound(t)); err != nil {
			t.Fatal(err)
		}
		first := p.Pid()
		if err := p.Replace(bound(t), unix.SIGUSR2); err != nil {
			t.Fatal(err)
		}
		if p.Pid() == first || !p.Running() {
			t.Fatalf("pid %d after %d, running %v, want another one that runs", p.Pid(), first, p.Running())
		}
		if _, err := p.Usage(); err != nil {
			t.Fatalf("usage of the successor: %v", err)
		}
		until(t, "the successor is to be told to end, and ends", func() bool {
			return errors.Is(p.Signal(unix.SIGTERM), proc.ErrEnded) || !p.Running()
		})
		exit, err := p.Wait(bound(t))
		if err != nil || exit.Code != 7 && exit.Signal != unix.SIGTERM { // the signal may be there before its handler
			t.Fatalf("end: %s, %v, want exit code 7 of the successor", exit, err)
		}
	}
}

// Kill ends both, and the end is known.
func TestKillTakesTheSuccessor(t *testing.T) {
	r, ns := runner(t)
	p := play(t, r, ns, "replaced", "")
	if err := p.WaitReady(bound(t)); err != nil {
		t.Fatal(err)
	}
	if err := p.Replace(bound(t), unix.SIGUSR2); err != nil {
		t.Fatal(err)
	}
	heir := p.Pid()
	if err := p.Kill(); err != nil {
		t.Fatal(err)
	}
	exit, err := p.Wait(bound(t))
	if err != nil || exit.Signal != unix.SIGKILL {
		t.Errorf("end: %s, %v, want killed", exit, err)
	}
	if err := unix.Kill(heir, 0); !errors.Is(err, unix.ESRCH) {
		t.Errorf("the successor after Kill: %v, want none", err)
	}
}

// What is no process of the group is nobody's successor.
func TestNobodyTakesAPlaceThatIsNotTheirs(t *testing.T) {
	r, ns := runner(t)
	p := play(t, r, ns, "stays", "")
	if err := p.WaitReady(bound(t)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if err := p.Replace(ctx, unix.SIGUSR2); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("replace: %v, want that nothing has taken its place", err)
	}
	if p.Pid() == 1 {
		t.Error("it takes pid 1 for its process")
	}
}

func bound(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// until asks again and again whether something is so.
func until(t *testing.T, what string, so func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	end := time.After(30 * time.Second)
	for !so() {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("%s: not within 30s", what)
		}
	}
}
