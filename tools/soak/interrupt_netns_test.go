//go:build netns

package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestInterruptInAnyPhaseHealsTakesDownAndKeepsTheEvidence(t *testing.T) {
	for _, c := range []struct {
		phase, story, when string
		binary             string // of the gateway
		until              func(family) bool
		after              time.Duration // that long after it has come true
		starts             int           // of the gateway, in all
	}{
		{phase: "up", story: storySteady, when: "✓ network"},
		{phase: "publish", story: storySteady, when: "✓ stage 2", binary: "mute", starts: 1},
		{phase: "steps", story: storySteady, when: "✓ publish", starts: 1},
		{phase: "fault", story: storyBroken, when: "✓ inject", starts: 1},
		{phase: "healing", story: storyKilled, when: "✓ inject", starts: 2}, // it starts what was killed
		{phase: "draining", story: storyDrain, when: "✓ inject", starts: 1},
		{phase: "down", story: storyLeft, when: "✓ exec", until: noProcess, starts: 1},
		{phase: "judging", story: storyLeft, when: "✓ exec", until: noLedger, after: time.Second, starts: 1},
	} {
		for _, s := range []syscall.Signal{unix.SIGINT, unix.SIGTERM} {
			if s == unix.SIGTERM && c.phase != "fault" {
				continue // one is enough: both are handled as one
			}
			t.Run(c.phase+" "+unix.SignalName(s), func(t *testing.T) {
				r := bench(t)
				var more []string
				if c.binary != "" {
					more = []string{"--gateway-binary", play(t, c.binary)}
				}
				run := r.tell(t, c.story, more...)
				run.says(t, c.when)
				if c.until != nil {
					r.awaitFamily(t, c.until)
					// Nothing tells more of the end of a lab. Too early a signal meets the
					// phase before, where it must do the same.
					moment := time.NewTimer(c.after)
					<-moment.C
				}
				run.signal(t, s)
				run.ends(t, 130)
				h := r.wantInterrupted(t, "interrupted")
				starts := 0
				for _, e := range h.Events {
					if e.Node == "bj/az1/l7-1" && strings.HasPrefix(e.Text, "gateway is ready") {
						starts++
					}
				}
				if starts < c.starts {
					t.Errorf("the gateway was started %d times, want %d", starts, c.starts)
				}
			})
		}
	}
}

// awaitFamily waits until the processes of the lab are as wanted.
func (r *rig) awaitFamily(t *testing.T, ok func(family) bool) {
	t.Helper()
	_, err := until(func() (bool, error) {
		f, err := familyOf(r.pids)
		return err == nil && ok(f), err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// noProcess says whether a lab has begun to go down.
func noProcess(f family) bool { return len(f.children) == 0 }

// noLedger says whether a lab is down: its ledger is closed then.
func noLedger(f family) bool {
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", f.supervisor)) // the pattern is well formed
	return len(files) > 0 && !slices.ContainsFunc(files, func(name string) bool {
		target, err := os.Readlink(name)
		return err == nil && filepath.Base(target) == "ledger.ndjson"
	})
}

// One moment after the other, also those that no line announces.
func TestInterruptAtARandomMomentEndsWithAWholeRun(t *testing.T) {
	r := bench(t)
	drawn := seedOf(*seed)
	t.Logf("seed %d", drawn)
	rng := rand.New(rand.NewPCG(drawn, 0))
	_, lasts, err := r.lbsim(0, r.args(verbRun)...)
	if err != nil {
		t.Fatal(err)
	}
	r.newRun()
	for range 3 {
		run, err := r.start(r.args(verbRun)...)
		if err != nil {
			t.Fatal(err)
		}
		at := time.Duration(rng.Float64() * float64(lasts))
		moment := time.NewTimer(at)
		<-moment.C
		_ = run.cmd.Process.Signal(unix.SIGINT) // it may have ended
		code, err := run.wait()
		dir := r.newRun()
		switch {
		case err != nil || !slices.Contains([]int{0, 130, -1}, code):
			t.Errorf("at %s of %s: exit code %d, %v: %s", at, lasts, code, err, run.said())
		case code == -1 && dir == "":
			// The signal came before anybody wanted it.
		case code == 130 && dir == "":
			// Nothing was begun yet.
		default:
			want := map[int]int{0: 0, 130: 2}[code]
			if _, _, err := r.lbsim(want, "judge", dir); err != nil {
				t.Errorf("at %s of %s: %v", at, lasts, err)
			}
		}
		if err := r.wantNothing(); err != nil {
			t.Errorf("at %s of %s: %v", at, lasts, err)
		}
	}
}
