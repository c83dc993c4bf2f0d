package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/unilb/unilb/impl/obs"
)

// stopTimeout bounds the wait for a child to end after SIGTERM.
const stopTimeout = 5 * time.Second

// children are processes that live no longer than we do: the kernel ends them
// when we are gone, however we went.
type children struct {
	bin, run string
	log      *slog.Logger
	spawn    chan func()
	died     chan error // a child ended that was not asked to

	mu       sync.Mutex
	list     []*child
	stopping bool
}

type child struct {
	name string
	cmd  *exec.Cmd
	says tail          // the end of its log: shown only when it fails
	done chan struct{} // closed when it has ended
	err  error         // why; set before done is closed
}

func newChildren(bin, run string, log *slog.Logger) *children {
	c := &children{bin: bin, run: run, log: log, spawn: make(chan func()), died: make(chan error, 2)}
	go func() {
		// The kernel sends PDEATHSIG when the *thread* that forked ends, so one
		// thread starts all children and is never given back.
		runtime.LockOSThread()
		for f := range c.spawn {
			f()
		}
		select {} // returning would end the thread
	}()
	return c
}

// start starts a child and waits until it says that it is ready.
func (c *children) start(ctx context.Context, name string, env []string, args ...string) error {
	ready, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(c.run, name+".sock"), Net: "unixgram"})
	if err != nil {
		return fmt.Errorf("start %s: %w", name, err)
	}
	defer func() { _ = ready.Close() }()
	k := &child{name: name, cmd: exec.Command(filepath.Join(c.bin, name), args...), done: make(chan struct{})}
	k.cmd.Stderr = &k.says
	k.cmd.Env = append(append(os.Environ(), env...), "NOTIFY_SOCKET="+ready.LocalAddr().String())
	// A group of its own: Ctrl-C is for us, we end the children in order.
	k.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	started := make(chan error, 1)
	c.spawn <- func() { started <- k.cmd.Start() }
	if err := <-started; err != nil {
		return fmt.Errorf("start %s: %w", name, err)
	}
	c.mu.Lock()
	c.list = append(c.list, k)
	c.mu.Unlock()
	go c.wait(k)
	return k.awaitReady(ctx, ready)
}

func (c *children) wait(k *child) {
	if k.err = k.cmd.Wait(); k.err == nil {
		k.err = errors.New("exit status 0")
	}
	close(k.done)
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.stopping {
		c.died <- fmt.Errorf("%s ended by itself: %w; its last words:\n%s", k.name, k.err, k.says.String())
	}
}

// awaitReady waits for READY=1 on the socket.
func (k *child) awaitReady(ctx context.Context, sock *net.UnixConn) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	got := make(chan struct{})
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := sock.Read(buf)
			if err != nil {
				return // closed by start
			}
			if strings.Contains(string(buf[:n]), "READY=1") {
				close(got)
				return
			}
		}
	}()
	select {
	case <-got:
		return nil
	case <-k.done:
		return fmt.Errorf("%s ended while starting: %w; its last words:\n%s", k.name, k.err, k.says.String())
	case <-ctx.Done():
		return fmt.Errorf("%s is not ready: %w", k.name, ctx.Err())
	}
}

// stop ends the children, the last started first, and waits for each.
func (c *children) stop() {
	c.mu.Lock()
	c.stopping = true
	list := c.list
	c.mu.Unlock()
	for i := len(list) - 1; i >= 0; i-- {
		k := list[i]
		_ = k.cmd.Process.Signal(syscall.SIGTERM) // fails when it has ended, which is the aim
		select {
		case <-k.done:
		case <-time.After(stopTimeout):
			c.log.Warn("child did not end in time", "name", k.name, obs.Err, "killed")
			_ = k.cmd.Process.Kill()
			<-k.done
		}
	}
}

// tail keeps the last bytes that were written to it.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

const tailBytes = 4096

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, b...)
	if over := len(t.buf) - tailBytes; over > 0 {
		t.buf = append(t.buf[:0], t.buf[over:]...)
	}
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.buf)
}
