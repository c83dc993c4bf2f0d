//go:build netns

package census_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/sim/census"
	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/netns"
	"github.com/unilb/unilb/sim/sandbox"
)

func TestMain(m *testing.M) { sandbox.Main(m) }

var options = census.Options{Files: []string{sandbox.Dir}, Own: []string{filepath.Join(sandbox.Dir, "run")}}

func take(t *testing.T) history.Census {
	t.Helper()
	c, err := census.Take(options)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// settled is what is left once what ends by itself has ended.
func settled(t *testing.T, before history.Census) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	c, err := census.Settle(ctx, before, options)
	if err != nil {
		t.Fatal(err)
	}
	left, unknown := before.Left(c)
	if len(unknown) > 0 {
		t.Errorf("only one census looked at %v", unknown)
	}
	return left
}

// Each kind of thing is named while it is there, and nothing is when it is gone.
func TestWhatIsLeftIsNamedUntilItIsGone(t *testing.T) {
	sandbox.Require(t, sandbox.CapNetNS)
	for name, c := range map[string]struct {
		leave func(t *testing.T) (gone func() error)
		want  string // in one of the lines
		needs string
	}{
		"process": {func(t *testing.T) func() error {
			cmd := exec.Command("sleep", "1000")
			must(t, cmd.Start())
			return func() error { _ = cmd.Process.Kill(); _ = cmd.Wait(); return nil }
		}, "process: ", ""},
		"process nobody waited for": {func(t *testing.T) func() error {
			cmd := exec.Command("true")
			must(t, cmd.Start())
			path := fmt.Sprintf("/proc/%d/stat", cmd.Process.Pid)
			within(t, func() bool { b, err := os.ReadFile(path); return err == nil && strings.Contains(string(b), ") Z ") })
			return cmd.Wait
		}, "(true) has ended, nobody waited for it", ""},
		"namespace": {func(t *testing.T) func() error {
			ns, err := netns.New()
			must(t, err)
			return ns.Close
		}, "held by a descriptor of the census taker", ""},
		"namespace of a process": {func(t *testing.T) func() error {
			cmd := exec.Command("sleep", "1000")
			cmd.SysProcAttr = &unix.SysProcAttr{Cloneflags: unix.CLONE_NEWNET}
			must(t, cmd.Start())
			return func() error { _ = cmd.Process.Kill(); _ = cmd.Wait(); return nil }
		}, ", held by process ", ""},
		"cable": {func(t *testing.T) func() error {
			f, err := os.OpenFile("/dev/net/tun", os.O_RDWR, 0)
			must(t, err)
			req, err := unix.NewIfreq("left0")
			must(t, err)
			req.SetUint16(unix.IFF_TAP | unix.IFF_NO_PI)
			must(t, unix.IoctlIfreq(int(f.Fd()), unix.TUNSETIFF, req))
			return f.Close
		}, "left0", sandbox.CapTUN},
		"mount": {func(t *testing.T) func() error {
			must(t, unix.Mount("left", "/mnt", "tmpfs", 0, ""))
			return func() error { return unix.Unmount("/mnt", 0) }
		}, "mount: left on /mnt, tmpfs", ""},
		"pin": {func(t *testing.T) func() error {
			must(t, os.Mkdir(sandbox.BPF+"/left", 0o700))
			return func() error { return os.Remove(sandbox.BPF + "/left") }
		}, "bpf: " + sandbox.BPF + "/left", sandbox.CapEBPF},
		"listener": {func(t *testing.T) func() error {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			must(t, err)
			return l.Close
		}, "fd: IPv4 stream socket at 127.0.0.1:", ""},
		"pipe": {func(t *testing.T) func() error {
			r, w, err := os.Pipe()
			must(t, err)
			return func() error { _ = w.Close(); return r.Close() }
		}, "(2 more, 0 before)", ""},
		"file": {func(t *testing.T) func() error {
			path := filepath.Join(sandbox.Dir, "left.sock")
			must(t, os.WriteFile(path, nil, 0o600))
			return func() error { return os.Remove(path) }
		}, "file: " + sandbox.Dir + "/left.sock", ""},
	} {
		t.Run(name, func(t *testing.T) {
			if c.needs != "" {
				sandbox.Require(t, c.needs)
			}
			before := take(t)
			gone := c.leave(t)
			var left []string
			named := func() bool { // the thread that made a namespace may outlive netns.New a little, and hold it
				left, _ = before.Left(take(t))
				return slices.ContainsFunc(left, func(l string) bool { return strings.Contains(l, c.want) })
			}
			if !soon(t, named) {
				t.Errorf("got %q, want a line with %q", left, c.want)
			}
			must(t, gone())
			if left := settled(t, before); len(left) > 0 {
				t.Errorf("when all is gone, this is left: %q", left)
			}
		})
	}
}

// What the Go runtime opens for itself, what the run writes and whoever asks the
// supervisor are no leak.
func TestWhatBelongsToTheRunDoesNotCount(t *testing.T) {
	sandbox.Require(t, sandbox.CapNetNS)
	run := options.Own[0]
	must(t, os.MkdirAll(run, 0o700))
	t.Cleanup(func() { os.RemoveAll(run) })
	before := take(t)

	log, err := os.Create(filepath.Join(run, "log"))
	must(t, err)
	defer log.Close()
	l, err := net.Listen("unix", "@census-test")
	must(t, err)
	defer l.Close()
	asking, err := net.Dial("unix", "@census-test")
	must(t, err)
	defer asking.Close()
	cmd := exec.Command("true") // its handle is released, its descriptor perhaps later
	must(t, cmd.Run())
	timeout := time.NewTimer(time.Millisecond) // the poller is running by now
	<-timeout.C

	if left := settled(t, before); len(left) > 0 {
		t.Errorf("left: %q, want nothing", left)
	}
}

func TestSettleGivesUpWithItsContext(t *testing.T) {
	sandbox.Require(t, sandbox.CapNetNS)
	before := take(t)
	r, w, err := os.Pipe()
	must(t, err)
	defer r.Close()
	defer w.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	c, err := census.Settle(ctx, before, options)
	must(t, err)
	if left, _ := before.Left(c); len(left) != 1 || !strings.HasPrefix(left[0], "fd: pipe:[") {
		t.Errorf("left: %q, want the pipe", left)
	}
}

func within(t *testing.T, ok func() bool) {
	t.Helper()
	if !soon(t, ok) {
		t.Fatal("not within 10s")
	}
}

// soon tells whether it becomes ok within ten seconds.
func soon(t *testing.T, ok func() bool) bool {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(10 * time.Second); !ok(); {
		select {
		case <-tick.C:
		case <-deadline:
			return false
		}
	}
	return true
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
