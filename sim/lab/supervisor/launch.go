package supervisor

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/sim/lab"
	"github.com/unilb/unilb/sim/sandbox"
	"github.com/unilb/unilb/topology"
)

// LaunchOptions say which lab to bring up, and how.
type LaunchOptions struct {
	Plan     *topology.Plan // Plan.Lab is the name of the lab
	Topology string         // for the registry: what the user named
	BinDir   string
	Dir      string // logs and ledger; "": a temporary directory that Down removes
	// Args start Supervise in this program.
	Args     []string
	Progress func(lab.Step)
}

// An InUse says that a lab of the name is up, or coming up.
type InUse struct{ Name string }

func (e *InUse) Error() string {
	return fmt.Sprintf("lab %s is up already; take it down with \"lbsim down\" or choose another --name", e.Name)
}

// Unavailable says that this machine cannot have the lab, or this lab the fault.
type Unavailable struct{ Text string }

func (e *Unavailable) Error() string { return e.Text }

// reserve takes the name of the lab by its socket, and writes down which directory
// the lab has before it makes that.
func (o LaunchOptions) reserve() (Entry, *net.UnixListener, error) {
	e := Entry{Name: o.Plan.Lab, Topology: o.Topology, Dir: o.Dir, Started: time.Now().UTC()}
	if err := CheckName(e.Name); err != nil {
		return e, nil, &InputError{Text: err.Error()}
	}
	if e.Dir == "" {
		e.Dir, e.Temp = filepath.Join(tempDir(), e.Name), true
	}
	var l *net.UnixListener
	err := locked(func(dir string) (err error) {
		l, err = net.ListenUnix("unix", address(e.Name))
		if errors.Is(err, unix.EADDRINUSE) {
			return &InUse{Name: e.Name}
		}
		if err != nil {
			return fmt.Errorf("make socket of lab %s: %w", e.Name, err)
		}
		if err = e.occupy(dir); err != nil {
			_ = l.Close()
			return errors.Join(err, e.discard(dir))
		}
		return nil
	})
	return e, l, err
}

// logFile is what the supervisor itself logs, in the lab's directory.
const logFile = "supervisor.log"

// tempDir is where labs without a directory of their own have theirs.
func tempDir() string { return filepath.Join(os.TempDir(), fmt.Sprintf("lbsim-%d", os.Getuid())) }

// occupy enters a lab whose name is ours, in the place of one that was killed.
func (e Entry) occupy(dir string) error {
	if old := read(dir, e.Name); old.Name != "" {
		if err := old.discard(dir); err != nil {
			return err
		}
	}
	if err := e.write(dir); err != nil {
		return err
	}
	if e.Temp {
		if err := makeOwn(filepath.Dir(e.Dir), 0o755); err != nil {
			return fmt.Errorf("make directory of lab %s: %w", e.Name, err)
		}
		if err := os.RemoveAll(e.Dir); err != nil { // of a lab that another registry knew
			return fmt.Errorf("make directory of lab %s: %w", e.Name, err)
		}
	}
	if err := os.MkdirAll(e.Dir, 0o755); err != nil {
		return fmt.Errorf("make directory of lab %s: %w", e.Name, err)
	}
	return nil
}

// launch reserves the lab, starts its sandbox and enters who that is.
func (o LaunchOptions) launch(job json.RawMessage) (_ *launched, err error) {
	e, l, err := o.reserve()
	if err != nil {
		return nil, err
	}
	defer func() { _ = l.Close() }() // the supervisor has its own copy
	s := &launched{entry: e}
	if s.box, s.progress, s.lifeline, err = start(l, o, e, job); err != nil {
		return nil, errors.Join(err, e.forget())
	}
	s.entry.Pid = s.box.Pid()
	if err := locked(s.entry.write); err != nil {
		return nil, errors.Join(err, s.end())
	}
	return s, nil
}

// launched is a supervisor, seen by who started it.
type launched struct {
	entry              Entry
	box                *sandbox.Box
	progress, lifeline *os.File
}

// end lets the supervisor take the lab down and waits for that.
func (s *launched) end() error {
	s.close()
	_, err := s.box.Wait()
	return errors.Join(err, s.entry.forget())
}

// close lets go of a supervisor that goes on by itself.
func (s *launched) close() {
	s.progress.Close()
	s.lifeline.Close()
}

// Launch starts a supervisor in a sandbox and returns when its lab is up. When it
// fails, or ctx is done first, or this process dies, the supervisor takes the lab
// down and ends; in the first two cases Launch waits for that.
func Launch(ctx context.Context, o LaunchOptions) (Entry, error) {
	s, err := o.launch(nil)
	if err != nil {
		return Entry{}, err
	}
	if err = follow(ctx, s.progress, o.Progress); err != nil {
		if errors.Is(err, ErrGone) {
			err = fmt.Errorf("%w%s", err, s.entry.lastWords())
		}
		return s.entry, errors.Join(err, s.end())
	}
	s.close()
	return s.entry, nil
}

// lastWords is the end of what the supervisor logged, for an error.
func (e Entry) lastWords() string {
	const most = 2048 // bytes
	text, err := os.ReadFile(filepath.Join(e.Dir, logFile))
	if err != nil || len(text) == 0 {
		return ""
	}
	return "; its last lines:\n" + strings.TrimSpace(string(text[max(0, len(text)-most):]))
}

// start starts the sandbox and hands it the socket, the order, and the ends of two
// pipes: one by which it reports, one by which it learns that we are gone.
func start(l *net.UnixListener, o LaunchOptions, e Entry, job json.RawMessage) (b *sandbox.Box, progress, lifeline *os.File, err error) {
	socket, err := l.File()
	if err != nil {
		return nil, nil, nil, fmt.Errorf("hand over socket: %w", err)
	}
	defer socket.Close()
	orders, err := orderFile(order{Entry: e, Plan: o.Plan, BinDir: o.BinDir, Job: job})
	if err != nil {
		return nil, nil, nil, err
	}
	defer orders.Close()
	progress, report, err := os.Pipe()
	if err != nil {
		return nil, nil, nil, fmt.Errorf("make pipe: %w", err)
	}
	defer report.Close()
	far, lifeline, err := os.Pipe()
	if err != nil {
		progress.Close()
		return nil, nil, nil, fmt.Errorf("make pipe: %w", err)
	}
	defer far.Close()
	b, err = startBox(o, e, socket, orders, report, far)
	if err != nil {
		progress.Close()
		lifeline.Close()
		return nil, nil, nil, err
	}
	return b, progress, lifeline, nil
}

func startBox(o LaunchOptions, e Entry, files ...*os.File) (*sandbox.Box, error) {
	null, err := os.Open(os.DevNull)
	if err != nil {
		return nil, fmt.Errorf("start supervisor: %w", err)
	}
	defer null.Close()
	log, err := os.OpenFile(filepath.Join(e.Dir, logFile), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("start supervisor: %w", err)
	}
	defer log.Close()
	return sandbox.Start(sandbox.Options{Args: o.Args, Stdin: null, Stdout: log, Stderr: log, Files: files, Detach: true})
}

// orderFile is a file in memory: an order may be larger than a pipe holds.
func orderFile(o order) (*os.File, error) {
	b, err := json.Marshal(o)
	if err != nil {
		return nil, fmt.Errorf("write order: %w", err)
	}
	fd, err := unix.MemfdCreate("order", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("write order: %w", err)
	}
	f := os.NewFile(uintptr(fd), "order")
	if _, err = f.Write(b); err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("write order: %w", err)
	}
	return f, nil
}

// follow reads what the supervisor reports until its lab is up or has failed.
func follow(ctx context.Context, progress *os.File, tell func(lab.Step)) error {
	stop := context.AfterFunc(ctx, func() { _ = progress.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	lines := bufio.NewReader(progress)
	for {
		line, err := lines.ReadBytes('\n')
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			return fmt.Errorf("bring the lab up: %w (%w)", ErrGone, err)
		}
		var e event
		if err := json.Unmarshal(bytes.TrimSpace(line), &e); err != nil {
			return fmt.Errorf("read progress: %w", err)
		}
		switch {
		case e.Ready:
			return nil
		case e.Unavailable:
			return &Unavailable{Text: e.Error}
		case e.Error != "":
			return errors.New(e.Error)
		case e.Step != nil && tell != nil:
			tell(*e.Step)
		}
	}
}
