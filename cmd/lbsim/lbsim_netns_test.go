//go:build netns

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/sim/sandbox"
)

func runTests(m *testing.M) { sandbox.Main(m) }

// A bench is where one test runs lbsim: its own registry, directories and
// binaries.
type bench struct {
	t    *testing.T
	bin  string
	env  []string
	pids []int // that were there before
}

func newBench(t *testing.T) *bench {
	t.Helper()
	sandbox.Require(t, sandbox.CapNetNS)
	b := &bench{t: t, bin: t.TempDir()}
	if err := playAll(b.bin); err != nil {
		t.Fatal(err)
	}
	b.env = append(os.Environ(), "XDG_RUNTIME_DIR="+t.TempDir(), "TMPDIR="+t.TempDir(), "UNILB_BIN="+b.bin,
		"GORACE=atexit_sleep_ms=0") // a second each, otherwise
	b.pids = processes(t)
	t.Cleanup(func() {
		b.lbsim("down", "--all")
		b.wantNothing()
	})
	return b
}

// A result is what one command line did.
type result struct {
	code           int
	stdout, stderr string
}

func (b *bench) command(args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(b.bin, "lbsim"), args...)
	cmd.Env = b.env
	return cmd
}

func (b *bench) lbsim(args ...string) result {
	b.t.Helper()
	cmd := b.command(args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			b.t.Fatal(err)
		}
	}
	return result{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// must runs lbsim and wants exit code 0.
func (b *bench) must(args ...string) string {
	b.t.Helper()
	r := b.lbsim(args...)
	if r.code != 0 {
		b.t.Fatalf("lbsim %v: exit code %d\n%s%s", args, r.code, r.stdout, r.stderr)
	}
	return r.stdout
}

// wantNothing wants that every process is gone; with the processes go namespaces,
// mounts and pins, which the sandbox's own tests show.
func (b *bench) wantNothing() {
	b.t.Helper()
	eventually(b.t, "no process is left", func() bool { return len(b.left()) == 0 })
	// A dying process gives up its memory, by which we look, before its sockets.
	eventually(b.t, "the registry lists no lab", func() bool { return b.lbsim("list").stdout == "" })
}

func (b *bench) left() []string {
	var out []string
	for _, pid := range processes(b.t) {
		if name, ok := alive(pid); ok && !slices.Contains(b.pids, pid) {
			out = append(out, name)
		}
	}
	return out
}

func processes(t *testing.T) []int {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatal(err)
	}
	var pids []int
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

// alive returns the command line of a process that is no zombie.
func alive(pid int) (string, bool) {
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	return strings.ReplaceAll(string(line), "\x00", " "), err == nil && len(line) > 0
}

// pidOf finds the process with the words in its command line.
func (b *bench) pidOf(words ...string) int {
	for _, pid := range processes(b.t) {
		line, ok := alive(pid)
		if ok && !slices.Contains(b.pids, pid) && !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(line, w) }) {
			return pid
		}
	}
	return 0
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(10 * time.Second)
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("not within 10s: %s", what)
		}
	}
}

// entry reads the registry entry of a lab.
func (b *bench) entry(name string) (e struct {
	Pid int
	Dir string
}) {
	b.t.Helper()
	for line := range strings.Lines(b.must("list", "--json")) {
		var got struct {
			Type, Name, Dir string
			Pid             int
		}
		if err := json.Unmarshal([]byte(line), &got); err != nil || got.Type != "lab" {
			b.t.Fatalf("list says %q: %v", line, err)
		}
		if got.Name == name {
			e.Pid, e.Dir = got.Pid, got.Dir
		}
	}
	return e
}

func TestUpExecStatusDown(t *testing.T) {
	b := newBench(t)
	if out := b.must("up", "hello"); !strings.HasPrefix(out, "hello is up") {
		t.Errorf("up says %q", out)
	}
	cmd := b.command("exec", "client/inet-1", "--", "sh", "-c", "cat; cat /proc/net/dev >&2; exit 7")
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader("through stdin"), &stdout, &stderr
	_ = cmd.Run()
	if cmd.ProcessState.ExitCode() != 7 || stdout.String() != "through stdin" || !strings.Contains(stderr.String(), "eth0") {
		t.Errorf("exec: code %d, stdout %q, stderr %q", cmd.ProcessState.ExitCode(), stdout.String(), stderr.String())
	}
	var st struct {
		Type  string
		Up    bool
		Nodes []struct{ Ref string }
	}
	if err := json.Unmarshal([]byte(b.must("status", "--json", "client/*")), &st); err != nil || !st.Up || len(st.Nodes) != 1 {
		t.Errorf("status: %+v, %v", st, err)
	}
	dir := b.entry("hello").Dir
	if _, err := os.Stat(filepath.Join(dir, "logs/bj/az1/l7-1/gateway.log")); err != nil {
		t.Error(err)
	}
	b.must("down")
	b.must("down")
	b.must("down", "hello")
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("the lab's directory is left: %v", err)
	}
}

func TestBadInputExitsWith3(t *testing.T) {
	b := newBench(t)
	b.must("up", "hello")
	for _, args := range [][]string{
		{"up"}, {"up", "hallo"}, {"up", "/nonexistent.yaml"}, {"up", "hello", "--name", "other", "--bin", "/nonexistent"}, {"up", "hello"}, {"up", "hello", "--name", "No Name"}, {"up", "hello", "--set", "lab.x=1"},
		{"frob"}, {"status", "--frob"}, {"status", "--lab", "other"}, {"status", "!!"}, {"exec", "nobody", "--", "true"},
		{"exec", "client/inet-1", "--", "no-such-program"}, {"exec", "client/inet-1"}, {"inject", "flood", "**"}, {"inject", "kill", "nobody"},
		{"inject", "kill", "bj/az1/l7-1", "nothing"}, {"heal", "f99"}, {"validate", "hallo"}, {"plan"},
	} {
		if r := b.lbsim(args...); r.code != codeInput || r.stderr+r.stdout == "" {
			t.Errorf("lbsim %v: exit code %d, want 3; said %q", args, r.code, r.stderr)
		}
	}
}

func TestTwoLabsSideBySide(t *testing.T) {
	b := newBench(t)
	b.must("up", "hello", "--name", "one")
	b.must("up", "hello", "--name", "two")
	where := func(name string) string {
		return b.must("exec", "-l", name, "client/inet-1", "--", "readlink", "/proc/self/ns/net")
	}
	if where("one") == where("two") {
		t.Error("both labs have the same client")
	}
	if r := b.lbsim("exec", "client/inet-1", "--", "true"); r.code != codeInput || !strings.Contains(r.stderr, "one, two") {
		t.Errorf("exec without --lab: %+v", r)
	}
	if r := b.lbsim("down"); r.code != codeInput {
		t.Errorf("down without a name: %+v", r)
	}
	b.must("down", "one")
	where("two")
}

func TestFaultsStayAndAreHealed(t *testing.T) {
	b := newBench(t)
	b.must("up", "hello")
	if out := b.must("inject", "freeze", "bj/az1/l7-1", "gateway"); !strings.Contains(out, "f1") {
		t.Errorf("inject says %q", out)
	}
	if out := b.must("status"); !strings.Contains(out, "gateway FROZEN") || !strings.Contains(out, "freeze gateway on bj/az1/l7-1") {
		t.Errorf("status says %s", out)
	}
	b.must("heal")
	if out := b.must("status"); strings.Contains(out, "FROZEN") {
		t.Errorf("status after heal says %s", out)
	}
}

func TestFaultThatIsImpossibleHereExitsWith4AndOneThatIsInTheWayWith3(t *testing.T) {
	b := newBench(t)
	b.must("up", "hello", "--name", "one")
	if r := b.lbsim("inject", "impair", "client/*", "loss=0.1"); r.code != codeMachine || !strings.Contains(r.stderr, "is a kernel link; give it a wire") {
		t.Errorf("impair a kernel link: %+v", r)
	}
	b.must("inject", "rate-limit", "client/*", "1000000")
	if r := b.lbsim("inject", "rate-limit", "client/inet-1", "2000000"); r.code != codeInput || !strings.Contains(r.stderr, "in force already: f2") {
		t.Errorf("limit twice: %+v", r)
	}
	if out := b.must("faults", "--lab", "one"); strings.Contains(out, "not here: cannot do \"backend") || !strings.Contains(out, "not here: cannot do \"impair\": no link of this lab is a wire") {
		t.Errorf("faults --lab says %s", out)
	}
	if out := b.must("faults"); strings.Contains(out, "not here") {
		t.Errorf("faults says %s", out)
	}
	// The lab mends what a client that is gone has broken.
	b.must("heal")
	if out := b.must("status"); strings.Contains(out, "carries at most") {
		t.Errorf("status after heal says %s", out)
	}
}

func TestInterruptedUpCleansUpAndExitsWith130(t *testing.T) {
	for _, s := range []syscall.Signal{unix.SIGINT, unix.SIGTERM} {
		t.Run(s.String(), func(t *testing.T) {
			b := newBench(t)
			cmd := b.slowUp()
			if err := cmd.Process.Signal(s); err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait()
			if code := cmd.ProcessState.ExitCode(); code != codeInterrupted {
				t.Errorf("exit code %d, want 130", code)
			}
			b.wantNothing()
		})
	}
}

func TestKilledUpMakesTheSupervisorTearDown(t *testing.T) {
	b := newBench(t)
	cmd := b.slowUp()
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	b.wantNothing()
}

// slowUp starts an up that does not get ready, and returns when it waits for the
// store.
func (b *bench) slowUp() *exec.Cmd {
	b.t.Helper()
	cmd := b.command("up", "hello")
	cmd.Env = append(b.env, "PATH="+os.Getenv("PATH")+":/slow")
	if err := cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = cmd.Process.Kill() })
	eventually(b.t, "the store has started", func() bool { return b.pidOf("unilb-etcd") != 0 })
	return cmd
}

func TestKilledSupervisorLeavesNothing(t *testing.T) {
	b := newBench(t)
	for _, victim := range []string{"pid 1 of the sandbox", "supervisor"} {
		b.must("up", "hello")
		pid := b.entry("hello").Pid
		if victim == "supervisor" {
			pid = b.childOf(pid)
		}
		if err := unix.Kill(pid, unix.SIGKILL); err != nil {
			t.Fatal(err)
		}
		b.wantNothing()
		if r := b.lbsim("status"); r.code != codeInput {
			t.Errorf("status after the %s was killed: %+v", victim, r)
		}
	}
}

// childOf returns the first child of a process.
func (b *bench) childOf(parent int) int {
	b.t.Helper()
	for _, pid := range processes(b.t) {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			continue
		}
		_, rest, _ := strings.Cut(string(stat), ") ")
		if f := strings.Fields(rest); len(f) > 1 && f[1] == strconv.Itoa(parent) {
			return pid
		}
	}
	b.t.Fatalf("process %d has no child", parent)
	return 0
}

func TestSignalsAndDeathOfExecReachTheCommand(t *testing.T) {
	b := newBench(t)
	b.must("up", "hello")
	for _, s := range []syscall.Signal{unix.SIGINT, unix.SIGKILL} {
		cmd := b.command("exec", "client/inet-1", "--", "sleep", "777")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the command runs", func() bool { return countSleeps(b) == 2 })
		if err := cmd.Process.Signal(s); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		if code := cmd.ProcessState.ExitCode(); s == unix.SIGINT && code != 130 {
			t.Errorf("exit code after SIGINT: %d, want 130", code)
		}
		eventually(t, "the command is gone", func() bool { return countSleeps(b) == 0 })
	}
}

// countSleeps counts the command and the lbsim that runs it.
func countSleeps(b *bench) int {
	count := 0
	for _, line := range b.left() {
		if strings.Contains(line, "sleep") && strings.Contains(line, "777") {
			count++
		}
	}
	return count
}

func TestCompletionDoesNotWaitForALabThatHangs(t *testing.T) {
	b := newBench(t)
	b.must("up", "hello", "--name", "hangs")
	if out := b.must("__complete", "exec", "client"); !strings.Contains(out, "client/inet-1") {
		t.Fatalf("completion proposes %q", out)
	}
	supervisor := b.childOf(b.entry("hangs").Pid)
	if err := unix.Kill(supervisor, unix.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Kill(supervisor, unix.SIGCONT) }()
	for _, args := range [][]string{{"exec", "client"}, {"capture", "client"}, {"heal", ""}, {"inject", "kill", ""}, {"logs", "client"}} {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		cmd := exec.CommandContext(ctx, filepath.Join(b.bin, "lbsim"), append([]string{"__complete"}, args...)...)
		cmd.Env = b.env
		out, err := cmd.Output()
		cancel()
		if err != nil || strings.Contains(string(out), "client") {
			t.Errorf("completion of %v while the lab hangs: %q, %v, want nothing within a second", args, out, err)
		}
	}
}
