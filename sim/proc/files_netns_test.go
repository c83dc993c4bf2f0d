//go:build netns

package proc_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/unilb/unilb/sim/netns"
	"github.com/unilb/unilb/sim/proc"
)

// parent starts a process that has a child of its own.
func parent(t *testing.T, r *proc.Runner, ns *netns.NS, script string) *proc.Process {
	t.Helper()
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Fatal(err)
	}
	p, err := r.Start(proc.Spec{Name: "node/parent", NS: ns, Path: sh, Args: []string{"-c", script}})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// waitFor asks what has no event.
func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(15 * time.Second); !ok(); {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("not within 15s: %s", what)
		}
	}
}

func TestFilesAreThoseOfTheProcessAndItsChildren(t *testing.T) {
	r, ns := runner(t)
	p := parent(t, r, ns, "exec 7</dev/null; sleep 1000 & wait")
	var all []proc.Files
	waitFor(t, "the child runs", func() bool {
		var err error
		if all, err = p.Files(); err != nil {
			t.Fatal(err)
		}
		return len(all) == 2 && slices.Contains(all[1].Open, 7)
	})
	if all[0].Pid != p.Pid() || all[0].Started == 0 || all[0].Limit == 0 || !slices.Contains(all[0].Open, 7) || !slices.IsSorted(all[0].Open) {
		t.Errorf("the process itself: %+v", all[0])
	}
	for i, limit := range []uint64{9, 11} {
		if err := p.LimitFiles(all[i], limit); err != nil {
			t.Fatal(err)
		}
	}
	now, err := p.Files()
	if err != nil || len(now) != 2 || now[0].Limit != 9 || now[1].Limit != 11 {
		t.Errorf("got %+v, %v; want the limits 9 and 11", now, err)
	}
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", p.Pid()))
	if err != nil || !strings.Contains(string(b), "Max open files            9 ") {
		t.Errorf("the kernel says %s, %v", b, err)
	}
	other := all[0]
	other.Started++
	if err := p.LimitFiles(other, 5); !errors.Is(err, proc.ErrEnded) {
		t.Errorf("limit of a process that had this id before: got %v, want ErrEnded", err)
	}
}

func TestFilesOfAProcessThatHasEndedAreGone(t *testing.T) {
	r, ns := runner(t)
	p := parent(t, r, ns, "exit 0")
	<-p.Done()
	if all, err := p.Files(); !errors.Is(err, proc.ErrEnded) {
		t.Errorf("got %v, %v; want ErrEnded", all, err)
	}
	if err := p.LimitFiles(proc.Files{Pid: p.Pid()}, 5); !errors.Is(err, proc.ErrEnded) {
		t.Errorf("limit: got %v, want ErrEnded", err)
	}
}
