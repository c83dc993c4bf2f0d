package enginetest

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// asServer makes the engine's part of a test of its test.
	asServer = "UNILB_TEST_SERVER"
	// spare is for how many connections the engine has descriptors.
	spare = 20
)

// acceptingPausesWithoutDescriptors: an engine that has descriptors for some clients only
// serves those, waits without spinning, and takes the others when some have left. It runs
// in a process of its own: a bound on descriptors would hold for its clients, too.
func acceptingPausesWithoutDescriptors(t *testing.T, start Starter) {
	if os.Getenv(asServer) != "" {
		serveFew(t, start)
		return
	}
	server := startChild(t)
	const clients = 2 * spare
	answered := make(chan net.Conn, clients)
	for range clients {
		c, err := net.Dial("tcp", server.addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		_ = c.SetDeadline(time.Now().Add(60 * time.Second)) // sockets take them
		go func() {
			if err := ask(c); err == nil {
				answered <- c
			}
		}()
	}
	next := func(what string) net.Conn {
		t.Helper()
		select {
		case c := <-answered:
			return c
		case <-time.After(30 * time.Second):
			t.Fatalf("%s: no answer within 30 s", what)
			return nil
		}
	}
	var served []net.Conn
	for range spare - 2 { // the process may have opened something of its own
		served = append(served, next("a client for whom there is a descriptor"))
	}
	const window = time.Second
	before := server.cpu(t)
	<-time.After(window) // that it does nothing can only be seen in a while
	if took := server.cpu(t) - before; took > window/10 {
		t.Errorf("without descriptors the engine computes %s in %s", took, window)
	}
	for len(answered) > 0 {
		served = append(served, next("a client for whom there is a descriptor"))
	}
	if n := len(served); n > spare {
		t.Errorf("%d clients are served, want at most %d: the bound does not bind, and nothing is shown", n, spare)
	}
	for _, c := range served {
		if err := ask(c); err != nil {
			t.Errorf("a client that has its connection: %v", err)
		}
		c.Close()
	}
	for range clients - len(served) {
		next("a client that waits for a descriptor").Close()
	}
}

// ask has one answer.
func ask(c net.Conn) error {
	if _, err := io.WriteString(c, plain); err != nil {
		return err
	}
	head := make([]byte, 4<<10)
	n, err := c.Read(head)
	if err == nil && !bytes.HasPrefix(head[:n], []byte("HTTP/1.1 502")) { // there is no target
		err = fmt.Errorf("got %q", head[:n])
	}
	return err
}

// child is a process that serves.
type child struct {
	addr string
	pid  int
}

// startChild runs this test in another process, which is to serve, until this test ends.
func startChild(t *testing.T) *child {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var name []string
	for _, part := range strings.Split(t.Name(), "/") {
		name = append(name, "^"+regexp.QuoteMeta(part)+"$")
	}
	cmd := exec.Command(os.Args[0], "-test.run", strings.Join(name, "/"))
	var output bytes.Buffer
	cmd.Env, cmd.ExtraFiles, cmd.Stdout, cmd.Stderr = append(os.Environ(), asServer+"=1"), []*os.File{w}, &output, &output
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
			t.Errorf("server: %v\n%s", err, &output)
		}
	})
	addr, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		t.Fatalf("server: %v\n%s", err, &output)
	}
	return &child{strings.TrimSpace(addr), cmd.Process.Pid}
}

// cpu is how long the process has computed.
func (c *child) cpu(t *testing.T) time.Duration {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", c.pid))
	if err != nil {
		t.Fatal(err)
	}
	const user, system, tick = 11, 12, 10 * time.Millisecond // fields behind the name
	f := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	u, err1 := strconv.Atoi(f[user])
	s, err2 := strconv.Atoi(f[system])
	if err1 != nil || err2 != nil {
		t.Fatalf("%s: %v, %v", b, err1, err2)
	}
	return time.Duration(u+s) * tick
}

// serveFew is the child.
func serveFew(t *testing.T, start Starter) {
	h := NewHandler()
	go func() {
		for range h.Done { // or the handler would wait for somebody who takes it
		}
	}()
	_, addr := start(t, Options{Handler: h})
	const parent = 3
	f := os.NewFile(parent, "parent")
	defer f.Close()
	used := map[int]bool{}
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		n, _ := strconv.Atoi(e.Name()) // they are numbers
		used[n] = true
	}
	bound := 0
	for free := 1; free < spare; bound++ { // that of the directory is free again
		if !used[bound] {
			free++
		}
	}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: uint64(bound), Max: uint64(bound)}); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(f, addr)
	_, _ = io.Copy(io.Discard, os.Stdin) // until the parent has seen enough
}
