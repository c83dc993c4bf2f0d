//go:build netns

package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"syscall"
	"testing"

	"github.com/unilb/unilb/sim/bundle"
	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/sandbox"
)

// A story is a scenario of these tests, without its first lines.
const (
	storySteady = `
objects: {services: {blog: {host: blog.example, targets: "idc/bj/*"}}}
traffic: {blog: {to: blog, rate: 100}}
steps:
  - {wait: {steady: {load: blog, for: 60s}}}
checks: [no-request-lost, nothing-left]
`
	storyBroken = `
objects: {services: {blog: {host: blog.example, targets: "idc/bj/*"}}}
traffic: {blog: {to: blog, rate: 100, timeout: 60s}}
steps:
  - {inject: {freeze: {on: bj/az1/l7-1, process: gateway}}, as: hang}
  - {after: 60s, heal: hang}
checks: [recovers, no-request-lost, nothing-left]
`
	storyKilled = `
objects: {services: {blog: {host: blog.example, targets: "idc/bj/*"}}}
traffic: {blog: {to: blog, rate: 100}}
steps:
  - {inject: {kill: {on: bj/az1/l7-1, process: gateway}}, as: crash}
  - {after: 60s, heal: crash}
checks: [recovers, no-request-lost, nothing-left]
`
	// The loads are drained while the gateway is frozen: that takes as long as it may.
	storyDrain = `
objects: {services: {blog: {host: blog.example, targets: "idc/bj/*"}}}
traffic: {blog: {to: blog, rate: 100, timeout: 60s}}
steps:
  - {inject: {freeze: {on: bj/az1/l7-1, process: gateway}}, as: hang}
checks: [recovers, no-request-lost, nothing-left]
`
	// What is left in the sandbox is given time to go, when the lab is down.
	storyLeft = `
objects: {services: {blog: {host: blog.example, targets: "idc/bj/*"}}}
traffic: {blog: {to: blog, rate: 100}}
steps:
  - {wait: {carried: {load: blog, requests: 10}}}
  - {exec: {on: client/inet-1, run: [touch, /run/lbsim/left]}}
checks: [no-request-lost, nothing-left]
`
)

// bench is a rig for a test, at whose end nothing is left.
func bench(t *testing.T) *rig {
	t.Helper()
	sandbox.Require(t, sandbox.CapNetNS, sandbox.CapRoot)
	r, err := newRig(binaries(t), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, _, err := r.lbsim(0, "down", "--all"); err != nil {
			t.Error(err)
		}
		if err := r.wantNothing(); err != nil {
			t.Error(err)
		}
		if err := r.untouched(); err != nil {
			t.Error(err)
		}
		r.close()
	})
	return r
}

// tell starts the run of a story.
func (r *rig) tell(t *testing.T, story string, more ...string) *command {
	t.Helper()
	path := filepath.Join(r.out(), "story.yaml")
	if err := os.WriteFile(path, []byte("scenario: soak\nabout: it is cut short\ntopology: hello\n"+story), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := r.start(append([]string{"run", path, "--name", labName, "--runs", r.runsDir()}, more...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.cmd.Process.Kill() })
	return c
}

// says waits until the command has said something that matches.
func (c *command) says(t *testing.T, pattern string) {
	t.Helper()
	want := regexp.MustCompile(pattern)
	if _, err := until(func() (bool, error) { return want.MatchString(c.said()), nil }); err != nil {
		t.Fatalf("%v: %q, in\n%s", err, pattern, c.said())
	}
}

func (c *command) signal(t *testing.T, s syscall.Signal) {
	t.Helper()
	if err := c.cmd.Process.Signal(s); err != nil {
		t.Fatalf("%v: %s", err, c.said())
	}
}

// ends waits for the end and wants the exit code.
func (c *command) ends(t *testing.T, want int) {
	t.Helper()
	code, err := c.wait()
	if err != nil || code != want {
		t.Errorf("exit code %d, want %d (%v):\n%s", code, want, err, c.said())
	}
}

// wantInterrupted wants that the newest run is whole and says that it was called off, and
// returns its history.
func (r *rig) wantInterrupted(t *testing.T, why string) *history.History {
	t.Helper()
	b := &bundle.Bundle{Dir: r.newRun()}
	var v bundle.Verdict
	var run bundle.Run
	for name, into := range map[string]any{bundle.VerdictFile: &v, bundle.RunFile: &run} {
		if err := b.ReadYAML(name, into); err != nil {
			t.Fatal(err)
		}
	}
	if v.Result != bundle.Undecided || !v.Interrupted || !slices.Contains(v.Problems, why) || run.Ended != why {
		t.Errorf("the run ended by %q, its verdict is %+v; want undecided, because of %q", run.Ended, v, why)
	}
	h, err := history.Open(b.Dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range h.Faults {
		if f.Open() {
			t.Errorf("not healed: %+v", f)
		}
	}
	if _, _, err := r.lbsim(2, "judge", b.Dir); err != nil {
		t.Error(err)
	}
	return h
}
