//go:build slow

package loop

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/impl/exchange"
)

const (
	// slowServer has the target of the engine that a test's other process is to serve.
	slowServer = "UNILB_TEST_SLOWLORIS"
	// slowClients never end their heads.
	slowClients = 10_000
	// slowLimit is the time for a head: for all of them to come, and for others to be
	// served meanwhile.
	slowLimit = 40 * time.Second
)

// TestTenThousandClientsThatNeverEndTheirHeadsCostLittleAndHurtNobody: the engine is in a
// process of its own, so that its memory is its own, and for want of descriptors.
func TestTenThousandClientsThatNeverEndTheirHeadsCostLittleAndHurtNobody(t *testing.T) {
	if target := os.Getenv(slowServer); target != "" {
		serveSlow(t, target)
		return
	}
	const each = 8 << 10 // bytes, generously
	bound := unix.Rlimit{}
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &bound); err != nil || bound.Max < slowClients+1000 {
		t.Skipf("%d descriptors, %v, and the test needs %d", bound.Max, err, slowClients+1000)
	}
	target := parrot(t, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
	addr, ask := startSlow(t, target)
	ordinary(t, addr) // so that what every engine has is there
	before, there := ask("taken"), ask("resident")
	begin := time.Now()
	var clients []net.Conn
	var ended sync.WaitGroup
	var late, lost atomic.Int64
	for i := range slowClients {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatalf("client %d: %v", i, err)
		}
		clients = append(clients, c)
		if _, err := fmt.Fprintf(c, "GET / HTTP/1.1\r\nHost: h\r\nX-%d: ", i); err != nil {
			t.Fatalf("client %d: %v", i, err)
		}
		ended.Go(func() {
			defer c.Close()
			_ = c.SetReadDeadline(time.Now().Add(3 * slowLimit)) // sockets take them
			b := make([]byte, 12)
			if _, err := io.ReadFull(c, b); err == nil && string(b) == "HTTP/1.1 408" {
				late.Add(1)
			} else {
				lost.Add(1)
			}
		})
	}
	stop, dripping := make(chan struct{}), make(chan struct{})
	go func() { // a byte for each of them, again and again
		defer close(dripping)
		for {
			for _, c := range clients {
				_, _ = io.WriteString(c, "x") // it may have been sent away
			}
			select {
			case <-stop:
				return
			case <-time.After(100 * time.Millisecond):
			}
		}
	}()
	held := ask("held")
	for range 50 {
		ordinary(t, addr)
	}
	if n := lost.Load() + late.Load(); n > 0 {
		t.Errorf("%d of the slow clients have ended within %s, when others were served", n, time.Since(begin))
	}
	after, thereToo := ask("taken"), ask("resident")
	ended.Wait()
	close(stop)
	<-dripping
	took := time.Since(begin)
	t.Logf("%d bytes taken before, %d with %d clients: %d each; resident %d and %d: %d each; all were gone after %s", before, after, held, (after-before)/slowClients,
		there, thereToo, (thereToo-there)/slowClients, took)
	if got := (after - before) / slowClients; got > each {
		t.Errorf("a client that never ends its head costs %d bytes, want at most %d", got, each)
	}
	if late.Load() != slowClients || took < slowLimit {
		t.Errorf("%d of %d were sent away with 408, %d otherwise, the last after %s; want all, after %s", late.Load(), slowClients, lost.Load(), took, slowLimit)
	}
	ordinary(t, addr)
}

func ordinary(t *testing.T, addr string) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{}, Timeout: 20 * time.Second}
	defer client.CloseIdleConnections()
	resp, err := client.Get("http://" + addr + "/")
	if got := whole(t, resp, err); resp.StatusCode != http.StatusOK || got != "hello" {
		t.Errorf("an ordinary client got %s %q, want 200", resp.Status, got)
	}
}

// startSlow runs this test in another process, which serves until this one ends. ask
// asks it for a number.
func startSlow(t *testing.T, target string) (addr string, ask func(string) int) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	cmd := exec.Command(os.Args[0], "-test.run", "^"+t.Name()+"$")
	cmd.Env, cmd.ExtraFiles, cmd.Stdout, cmd.Stderr = append(os.Environ(), slowServer+"="+target), []*os.File{w}, os.Stderr, os.Stderr
	stdin, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	_ = w.Close() // it is the child's now
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = stdin.Close() // its word to end
		if err := cmd.Wait(); err != nil {
			t.Errorf("server: %v", err)
		}
	})
	answers := bufio.NewReader(r)
	if addr, err = answers.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(addr), func(what string) (n int) {
		_, err := fmt.Fprintln(stdin, what)
		if err == nil {
			_, err = fmt.Fscanln(answers, &n)
		}
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
}

// serveSlow is the other process.
func serveSlow(t *testing.T, target string) {
	h := &plain{&exchange.Target{Name: target, Pool: exchange.Pool{Address: target, IdleConns: 8, IdleTimeout: time.Minute}}}
	e, addr := startLoops(t, Options{Handler: h, HeadTimeout: slowLimit, Slow: func(time.Duration) {}})
	f := os.NewFile(3, "parent")
	fmt.Fprintln(f, addr)
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		switch lines.Text() {
		case "taken":
			fmt.Fprintln(f, taken())
		case "resident":
			fmt.Fprintln(f, resident(t))
		case "held":
			fmt.Fprintln(f, heldHeads(t, e))
		}
	}
}

// heldHeads waits until the beginnings of all heads have come.
func heldHeads(t *testing.T, e *Engine) (n int) {
	for deadline := time.Now().Add(slowLimit); n < slowClients; {
		if time.Now().After(deadline) {
			t.Errorf("%d of %d beginnings have come", n, slowClients)
			break
		}
		if err := e.loops[0].ask(func() error {
			n = 0
			for c := range e.loops[0].clients {
				if len(c.in) > 0 {
					n++
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		<-time.After(50 * time.Millisecond) // looking costs the loop something
	}
	return n
}

// taken is how much memory this process has taken, in bytes, whether it has written to it
// yet or not.
func taken() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Sys - m.HeapReleased
}

// resident is how much memory this process has, in bytes.
func resident(t *testing.T) (n int) {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Sscan(strings.Fields(string(b))[1], &n); err != nil {
		t.Fatal(err)
	}
	return n * os.Getpagesize()
}
