package handover

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// firstFD is the first descriptor of a new process after the standard ones.
const firstFD = 3

// lineWait bounds a write to the other process, which may have stopped; legacyWait that of
// what it inherits, which may be long, and the wait for it.
const (
	lineWait   = time.Second
	legacyWait = 10 * time.Second
)

// stopWait is how long a successor that is given up may take to end by itself.
const stopWait = 10 * time.Second

// A Program is what is started: the path of a binary, its arguments with its name as
// the first, and its environment.
type Program struct {
	Path      string
	Args, Env []string
}

// A Successor is a process that was started to take over from this one.
type Successor struct {
	process *os.Process
	legacy  Legacy // by its descriptors
	conn    net.Conn
	in      *json.Decoder
	ended   chan struct{} // closed when the process has ended
	how     error         // set before
	once    sync.Once     // of Stop
}

// Start starts a successor that inherits l. The descriptors of l stay
// those of the caller, who may close them when Start has returned.
//
// It forks by itself: os/exec would make the sockets blocking, here as well as there.
func Start(p Program, l Legacy) (*Successor, error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("make socket pair: %w", err)
	}
	conn, err := connOf(pair[0])
	if err != nil {
		_ = unix.Close(pair[1])
		return nil, fmt.Errorf("use socket pair: %w", err)
	}
	files := []uintptr{0, 1, 2, uintptr(pair[1])}
	theirs := Legacy{TicketSecret: l.TicketSecret}
	for _, s := range l.Sockets {
		theirs.Sockets = append(theirs.Sockets, Socket{Name: s.Name, FD: len(files)})
		files = append(files, uintptr(s.FD))
	}
	pid, err := syscall.ForkExec(p.Path, p.Args, &syscall.ProcAttr{Env: environment(p.Env), Files: files})
	_ = unix.Close(pair[1])
	if err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("start %s: %w", p.Path, err)
	}
	process, err := os.FindProcess(pid) // our child: it stays until somebody waits for it
	if err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("find process %d: %w", pid, err)
	}
	s := &Successor{process: process, legacy: theirs, conn: conn, in: json.NewDecoder(conn), ended: make(chan struct{})}
	go s.wait()
	return s, nil
}

// environment is env with where the successor finds us.
func environment(env []string) []string {
	out := make([]string, 0, len(env)+1)
	for _, e := range env {
		if !strings.HasPrefix(e, Variable+"=") {
			out = append(out, e)
		}
	}
	return append(out, Variable+"="+strconv.Itoa(firstFD))
}

func (s *Successor) wait() {
	state, err := s.process.Wait()
	switch {
	case err != nil:
		s.how = fmt.Errorf("the successor ended: %w", err)
	default:
		s.how = fmt.Errorf("the successor ended: %s", state)
	}
	close(s.ended)
}

// PID is the successor's process id.
func (s *Successor) PID() int { return s.process.Pid }

// Ready tells the successor what it inherits, and waits until it says that it could serve. It returns an error when
// the successor has ended, or with that of ctx.
func (s *Successor) Ready(ctx context.Context) error {
	said := make(chan error, 1)
	go func() { said <- s.hear() }()
	select {
	case err := <-said:
		if err == nil {
			return nil
		}
		select { // how it ended says more than that it hung up
		case <-s.ended:
			return s.how
		case <-time.After(lineWait):
			return fmt.Errorf("speak to the successor: %w", err)
		}
	case <-s.ended:
		return s.how
	case <-ctx.Done():
		return fmt.Errorf("the successor is not ready: %w", ctx.Err())
	}
}

// hear returns when the successor is ready, or can say nothing any more.
func (s *Successor) hear() error {
	if err := say(s.conn, message{Legacy: &s.legacy}, legacyWait); err != nil {
		return err
	}
	for {
		var m message
		if err := s.in.Decode(&m); err != nil || m.Ready {
			return err
		}
	}
}

// Yours leaves the successor what only one process may do. It returns an error when
// there is none any more.
func (s *Successor) Yours() error {
	select {
	case <-s.ended:
		return s.how
	default:
		return say(s.conn, message{Yours: true}, lineWait)
	}
}

// Tell tells the successor how far the drain is, if it listens.
func (s *Successor) Tell(p Progress) { _ = say(s.conn, message{Progress: &p}, lineWait) }

// Stop ends a successor that is not to take over: as SIGTERM does, and by force when
// that takes long. It does not wait. Idempotent.
func (s *Successor) Stop() {
	s.once.Do(func() {
		_ = s.process.Signal(syscall.SIGTERM) // fails when it has ended, which is the aim
		go func() {
			select {
			case <-s.ended:
			case <-time.After(stopWait):
				_ = s.process.Kill()
			}
			_ = s.conn.Close()
		}()
	})
}

func say(c net.Conn, m message, within time.Duration) error {
	b, err := json.Marshal(m)
	if err != nil {
		return err
	}
	if err := c.SetWriteDeadline(time.Now().Add(within)); err != nil {
		return err
	}
	_, err = c.Write(append(b, '\n'))
	return err
}

// connOf makes a connection of a descriptor, which is its own from then on.
func connOf(fd int) (net.Conn, error) {
	f := os.NewFile(uintptr(fd), "handover")
	if f == nil {
		return nil, errors.New("no such descriptor")
	}
	defer func() { _ = f.Close() }() // the connection has a duplicate
	return net.FileConn(f)
}
