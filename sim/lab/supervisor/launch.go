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
	"syscall"
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

// reserve takes the name of the lab by its socket and makes its directory.
func (o LaunchOptions) reserve() (Entry, *net.UnixListener, error) {
	e := Entry{Name: o.Plan.Lab, Topology: o.Topology, Dir: o.Dir, Started: time.Now().UTC()}
	if err := CheckName(e.Name); err != nil {
		return e, nil, &InputError{Text: err.Error()}
	}
	l, err := net.ListenUnix("unix", address(e.Name))
	if errors.Is(err, unix.EADDRINUSE) {
		return e, nil, &InUse{Name: e.Name}
	}
	if err != nil {
		return e, nil, fmt.Errorf("make socket of lab %s: %w", e.Name, err)
	}
	if e.Dir == "" {
		e.Dir, e.Temp = filepath.Join(os.TempDir(), fmt.Sprintf("lbsim-%d", os.Getuid()), e.Name), true
		err = os.RemoveAll(e.Dir) // of a lab that was killed
	}
	if err == nil {
		err = os.MkdirAll(e.Dir, 0o755)
	}
	if err != nil {
		_ = l.Close()
		return e, nil, fmt.Errorf("make directory of lab %s: %w", e.Name, err)
	}
	return e, l, nil
}

// Launch starts a supervisor in a sandbox and returns when its lab is up. When it
// fails, or ctx is done first, or this process dies, the supervisor takes the lab
// down and ends; in the first two cases Launch waits for that.
func Launch(ctx context.Context, o LaunchOptions) (Entry, error) {
	e, l, err := o.reserve()
	if err != nil {
		return e, err
	}
	defer func() { _ = l.Close() }() // the supervisor has its own copy
	b, progress, lifeline, err := start(l, o, e, nil)
	if err != nil {
		return e, err
	}
	defer progress.Close()
	defer lifeline.Close()
	e.Pid = b.Pid()
	if err := e.write(); err != nil {
		lifeline.Close()
		_, _ = b.Wait()
		return e, err
	}
	err = follow(ctx, progress, o.Progress)
	if err == nil {
		return e, nil
	}
	lifeline.Close() // the supervisor takes the lab down
	if _, werr := b.Wait(); werr != nil {
		err = errors.Join(err, werr)
	}
	e.remove()
	return e, err
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
	log, err := os.OpenFile(filepath.Join(e.Dir, "supervisor.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
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
			return fmt.Errorf("supervisor ended while it brought the lab up: %w", err)
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

// awaitEnd waits until pid 1 of a lab has ended: everything is freed then.
func awaitEnd(ctx context.Context, e Entry) error {
	fd, err := unix.PidfdOpen(e.Pid, 0)
	if errors.Is(err, syscall.ESRCH) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("watch supervisor of %s: %w", e.Name, err)
	}
	defer func() { _ = unix.Close(fd) }()
	for e.alive() {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 20)
		if n > 0 || err != nil && !errors.Is(err, unix.EINTR) {
			break
		}
		if ctx.Err() != nil {
			return fmt.Errorf("wait for the end of %s: %w", e.Name, context.Cause(ctx))
		}
	}
	return nil
}
