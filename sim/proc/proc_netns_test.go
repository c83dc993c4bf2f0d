//go:build netns

package proc_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/sim/link"
	"github.com/unilb/unilb/sim/netns"
	"github.com/unilb/unilb/sim/proc"
	"github.com/unilb/unilb/sim/sandbox"
)

// roleVar makes the test binary play a process under test.
const roleVar = "PROC_TEST_ROLE"

func TestMain(m *testing.M) {
	switch os.Getenv(roleVar) {
	case "":
		sandbox.Main(m)
	case "notify":
		c, err := net.Dial("unixgram", os.Getenv("NOTIFY_SOCKET"))
		if err == nil {
			_, err = c.Write([]byte("STATUS=up\nREADY=1\n"))
		}
		fmt.Fprintln(os.Stderr, "notified:", err)
		select {}
	case "http":
		err := http.ListenAndServe("127.0.0.1:81", http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		fmt.Fprintln(os.Stderr, err)
	case "dies":
		for i := range 100 {
			fmt.Fprintln(os.Stderr, "line", i)
		}
		os.Exit(3)
	case "replaced": // by a child, and ends at once
		again := make(chan os.Signal, 1)
		signal.Notify(again, unix.SIGUSR2)
		tell("READY=1")
		<-again
		c := exec.Command("/proc/self/exe")
		c.Env = append(os.Environ(), roleVar+"=heir")
		if c.Start() == nil {
			tell(fmt.Sprintf("MAINPID=%d", c.Process.Pid))
		}
		os.Exit(3)
	case "heir":
		end := make(chan os.Signal, 1)
		signal.Notify(end, unix.SIGTERM)
		tell("X=1") // something that says nothing
		<-end
		os.Exit(7)
	case "stays": // whatever it is told
		signal.Ignore(unix.SIGUSR2)
		tell("READY=1")
		tell("MAINPID=1")
		select {}
	case "ignores":
		exec.Command("sleep", "1000").Start()
		fmt.Println("started")
		select {}
	}
	os.Exit(1)
}

// tell speaks by sd_notify.
func tell(line string) {
	c, err := net.Dial("unixgram", os.Getenv("NOTIFY_SOCKET"))
	if err == nil {
		_, err = c.Write([]byte(line + "\n"))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "tell:", err)
	}
}

func runner(t *testing.T) (*proc.Runner, *netns.NS) {
	t.Helper()
	sandbox.Require(t, sandbox.CapNetNS)
	r, err := proc.NewRunner(t.TempDir(), filepath.Join(sandbox.Dir, strings.ToLower(t.Name()[4:8])))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	ns, err := netns.New()
	if err != nil {
		t.Fatal(err)
	}
	s, err := link.Open(ns)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close(); ns.Close() })
	if err := s.Prepare(false); err != nil {
		t.Fatal(err)
	}
	return r, ns
}

func play(t *testing.T, r *proc.Runner, ns *netns.NS, role, ready string) *proc.Process {
	t.Helper()
	p, err := r.Start(proc.Spec{
		Name: "node/" + role, NS: ns, Path: "/proc/self/exe", Env: map[string]string{roleVar: role}, Ready: ready,
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func limit(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func TestReadyBySocket(t *testing.T) {
	r, ns := runner(t)
	p := play(t, r, ns, "notify", "")
	if err := p.WaitReady(limit(t)); err != nil {
		t.Fatal(err)
	}
	if p.ReadyAfter() <= 0 || !p.Running() {
		t.Errorf("ready after %v, running %t", p.ReadyAfter(), p.Running())
	}
	if u, err := p.Usage(); err != nil || u.RSS == 0 {
		t.Errorf("usage: %+v, %v", u, err)
	}
}

func TestReadyByHTTPInsideTheNamespace(t *testing.T) {
	r, ns := runner(t)
	p := play(t, r, ns, "http", "http://127.0.0.1:81/")
	if err := p.WaitReady(limit(t)); err != nil {
		t.Fatal(err)
	}
}

func TestNotReadyCarriesTheLastLines(t *testing.T) {
	r, ns := runner(t)
	err := play(t, r, ns, "dies", "").WaitReady(limit(t))
	var nr *proc.NotReady
	if !errors.As(err, &nr) {
		t.Fatalf("got %v, want *NotReady", err)
	}
	if !strings.HasSuffix(nr.Log, "line 99") || !strings.Contains(err.Error(), "exit code 3") {
		t.Errorf("error does not tell: %v", err)
	}
}

func TestFreezeStopsAndContinueRuns(t *testing.T) {
	r, ns := runner(t)
	p := play(t, r, ns, "notify", "")
	if err := p.WaitReady(limit(t)); err != nil {
		t.Fatal(err)
	}
	for range 2 { // twice is once
		if err := p.Freeze(); err != nil || !p.Frozen() {
			t.Fatalf("freeze: %v, frozen %t", err, p.Frozen())
		}
	}
	if err := p.Continue(); err != nil || p.Frozen() {
		t.Fatalf("continue: %v, frozen %t", err, p.Frozen())
	}
	if err := p.Freeze(); err != nil {
		t.Fatal(err)
	}
	exit, err := p.Stop(limit(t)) // a frozen process must not hold a lab up
	if err != nil || exit.Signal != unix.SIGTERM {
		t.Errorf("stop: %v, %v", exit, err)
	}
	if err := p.Kill(); !errors.Is(err, proc.ErrEnded) {
		t.Errorf("kill after the end: got %v, want ErrEnded", err)
	}
}

func TestKillTakesTheGroup(t *testing.T) {
	r, ns := runner(t)
	p := play(t, r, ns, "ignores", "")
	eventually(t, "the process has a child", func() bool { return p.Tail(100) == "started" })
	if err := p.Kill(); err != nil {
		t.Fatal(err)
	}
	exit, err := p.Wait(limit(t))
	if err != nil || exit.Code != 137 {
		t.Errorf("exit: %+v, %v", exit, err)
	}
	// The grandchild may be a zombie for a moment until pid 1 reaps it.
	eventually(t, "nobody of the group is left", func() bool { return unix.Kill(-p.Pid(), 0) != nil })
}

// eventually polls what no event announces.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
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

func TestExecReturnsOutputAndCode(t *testing.T) {
	r, ns := runner(t)
	out, err := r.Exec(limit(t), "node/exec", ns, "sh", "-c", "sleep 1000 & echo $!; echo err >&2; exit 4")
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Stdout) == 0 || string(out.Stderr) != "err\n" || out.Exit.Code != 4 {
		t.Errorf("got %q, %q, %+v", out.Stdout, out.Stderr, out.Exit)
	}
	grandchild := "/proc/" + strings.TrimSpace(string(out.Stdout)) + "/stat"
	eventually(t, "what the command left behind is gone", func() bool { _, err := os.Stat(grandchild); return err != nil })
	if out.Took > 5*time.Second {
		t.Errorf("a grandchild that kept the output open kept us for %v", out.Took)
	}
}

func TestCloseKillsWhatRuns(t *testing.T) {
	r, ns := runner(t)
	p := play(t, r, ns, "notify", "")
	if err := p.WaitReady(limit(t)); err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if p.Running() {
		t.Error("the process outlived its runner")
	}
}
