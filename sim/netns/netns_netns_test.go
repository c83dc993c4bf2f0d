//go:build netns

package netns_test

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/sim/netns"
	"github.com/unilb/unilb/sim/sandbox"
)

func TestMain(m *testing.M) { sandbox.Main(m) }

func fresh(t *testing.T) *netns.NS {
	t.Helper()
	sandbox.Require(t, sandbox.CapNetNS)
	ns, err := netns.New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ns.Close() })
	return ns
}

func here(t *testing.T) string {
	t.Helper()
	link, err := os.Readlink("/proc/thread-self/ns/net")
	if err != nil {
		t.Error(err)
	}
	return link
}

func TestDoRunsInsideAndOthersStayOutside(t *testing.T) {
	ns := fresh(t)
	outside := here(t)
	var inside, beside string
	err := ns.Do(func() error {
		inside = here(t)
		var wg sync.WaitGroup
		wg.Go(func() { beside = here(t) })
		wg.Wait()
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if inside == outside {
		t.Error("Do ran in the namespace of the process")
	}
	if beside != outside {
		t.Error("a goroutine started inside ran inside")
	}
	if after := here(t); after != outside {
		t.Errorf("namespace after Do: got %s, want %s", after, outside)
	}
}

func TestSocketStaysWhereItWasMade(t *testing.T) {
	ns := fresh(t)
	var udp net.PacketConn
	err := ns.Do(func() (err error) {
		udp, err = net.ListenPacket("udp4", "0.0.0.0:9")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	// The port is free outside.
	other, err := net.ListenPacket("udp4", "0.0.0.0:9")
	if err != nil {
		t.Fatalf("the socket was made outside: %v", err)
	}
	other.Close()
}

func TestDoAfterCloseIsRefused(t *testing.T) {
	ns := fresh(t)
	if err := ns.Close(); err != nil {
		t.Fatal(err)
	}
	if err := ns.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
	if err := ns.Do(func() error { return nil }); !errors.Is(err, netns.ErrClosed) {
		t.Errorf("Do after Close: got %v, want ErrClosed", err)
	}
}

func TestIDsTellNamespacesApart(t *testing.T) {
	a, b := fresh(t), fresh(t)
	ida, err := a.ID()
	if err != nil {
		t.Fatal(err)
	}
	idb, err := b.ID()
	if err != nil {
		t.Fatal(err)
	}
	if ida == idb || ida == (netns.ID{}) {
		t.Errorf("ids: %v and %v", ida, idb)
	}
}

func TestThreadStartsChildrenInsideAndTheyOutliveOtherThreads(t *testing.T) {
	ns := fresh(t)
	thread := netns.NewThread()
	defer thread.Close()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cmd := exec.Command("sh", "-c", "readlink /proc/self/ns/net; exec sleep 1000")
	cmd.Stdout = w
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: unix.SIGKILL}
	done := make(chan error)
	go func() { // this goroutine's own thread may end: the child must not care
		done <- thread.Do(ns, cmd.Start)
	}()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	w.Close()
	buf := make([]byte, 64)
	n, err := r.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.TrimSpace(string(buf[:n])); got == here(t) || got == "" {
		t.Errorf("child's namespace: %q is the process's own", got)
	}
	if err := thread.Do(nil, func() error { return nil }); err != nil {
		t.Errorf("thread at home: %v", err)
	}
	if err := cmd.Process.Signal(syscall.Signal(0)); err != nil {
		t.Errorf("child is gone: %v", err)
	}
	thread.Close() // the parent-death signal ends the child
	if err := cmd.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Errorf("child after its thread ended: got %v, want killed", err)
	}
	if err := thread.Do(ns, func() error { return nil }); !errors.Is(err, netns.ErrClosed) {
		t.Errorf("Do after Close: got %v, want ErrClosed", err)
	}
}

// Of threads that are all taken at once none may be the process's first: it does
// not end with its goroutine, and would keep a namespace for ever.
func TestFirstThreadIsNeverThrownAway(t *testing.T) {
	const threads = 32
	var taken, done sync.WaitGroup
	release := make(chan struct{})
	ids := make([]int, threads)
	for i := range threads {
		taken.Add(1)
		done.Go(func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			ids[i] = unix.Gettid()
			taken.Done()
			<-release
		})
	}
	taken.Wait()
	close(release)
	done.Wait()
	if slices.Contains(ids, os.Getpid()) {
		t.Errorf("thread %d, the first of the process, was handed out", os.Getpid())
	}
}

func TestOwnIsTheNamespaceOfTheProcess(t *testing.T) {
	other := fresh(t)
	own, err := netns.Own()
	if err != nil {
		t.Fatal(err)
	}
	defer own.Close()
	a, errA := own.ID()
	b, errB := other.ID()
	if err := errors.Join(errA, errB); err != nil {
		t.Fatal(err)
	}
	inside := ""
	if err := own.Do(func() error { inside = here(t); return nil }); err != nil {
		t.Fatal(err)
	}
	if a == b || inside != here(t) {
		t.Errorf("own %v, another %v, inside %s, want %s", a, b, inside, here(t))
	}
}
