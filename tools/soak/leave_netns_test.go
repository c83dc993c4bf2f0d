//go:build netns

package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/sim/bundle"
)

func TestSecondInterruptLeavesAtOnceAndSaysHowToCleanUp(t *testing.T) {
	for _, s := range []syscall.Signal{unix.SIGINT, unix.SIGTERM} {
		t.Run(unix.SignalName(s), func(t *testing.T) {
			r := bench(t)
			run := r.tell(t, storyDrain)
			run.says(t, "✓ inject")
			run.signal(t, s)
			run.says(t, "interrupted: .*once more to leave at once")
			begun := time.Now()
			run.signal(t, s)
			run.ends(t, 130)
			t.Logf("left after %s", time.Since(begun))
			advice := regexp.MustCompile(`to clean up: lbsim (.*)\n`).FindStringSubmatch(run.said())
			if advice == nil {
				t.Fatalf("it does not say how to clean up:\n%s", run.said())
			}
			whole, _ := filepath.Glob(filepath.Join(r.runsDir(), "soak", "*", bundle.VerdictFile)) // the pattern is well formed
			if len(whole) > 0 {
				t.Errorf("it did not leave, it waited for %s", whole[0])
			}
			if _, _, err := r.lbsim(0, strings.Fields(advice[1])...); err != nil {
				t.Error(err)
			}
			if err := r.wantNothing(); err != nil {
				t.Error(err)
			}
			r.wantInterrupted(t, "interrupted")
		})
	}
}

// Nobody needs to do what the advice says.
func TestRunThatWasLeftCleansUpByItself(t *testing.T) {
	r := bench(t)
	run := r.tell(t, storyDrain)
	run.says(t, "✓ inject")
	run.signal(t, unix.SIGINT)
	run.says(t, "interrupted: ")
	run.signal(t, unix.SIGINT)
	run.ends(t, 130)
	if _, err := until(func() (bool, error) { left, err := r.left(false); return len(left) == 0, err }); err != nil {
		t.Error(err)
	}
	r.wantInterrupted(t, "interrupted")
}

func TestDownOfARunEndsIt(t *testing.T) {
	r := bench(t)
	run := r.tell(t, storyBroken)
	run.says(t, "✓ inject")
	if _, _, err := r.lbsim(0, "down", labName); err != nil {
		t.Error(err)
	}
	run.ends(t, 130)
	r.wantInterrupted(t, "asked by a client")
}

// The gateway is somebody else's to kill, too.
func TestGatewayThatSomebodyKillsMakesTheRunWrong(t *testing.T) {
	r := bench(t)
	run := r.tell(t, strings.Replace(storySteady, "{wait: {steady: {load: blog, for: 60s}}}", "{wait: {carried: {load: blog, requests: 100000}}, within: 3s}", 1))
	run.says(t, "✓ publish")
	f, err := familyOf(append(slices.Clone(r.pids), run.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, pid := range f.children {
		if p, err := processOf(pid); err == nil && p.is("l7gw") {
			if err := unix.Kill(-pid, unix.SIGKILL); err != nil {
				t.Fatal(err)
			}
		}
	}
	run.ends(t, 1)
	if said := run.said(); !strings.Contains(said, "invalid  NoRequestLost") {
		t.Errorf("it does not say that requests were lost:\n%s", said)
	}
	if _, _, err := r.lbsim(1, "judge", r.newRun()); err != nil {
		t.Error(err)
	}
}

// play puts this test binary somewhere under a name by which it knows its part.
func play(t *testing.T, part string) string {
	t.Helper()
	self, err := os.Executable()
	path := filepath.Join(t.TempDir(), part)
	if err == nil {
		err = os.Symlink(self, path)
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}
