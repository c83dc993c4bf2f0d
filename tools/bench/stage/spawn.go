package stage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A Spawner starts processes with a place to run. All are forked from one thread,
// which takes the place for the moment of the fork: affinity and priority are
// inherited, and the parent-death signal belongs to the thread that forked.
type Spawner struct {
	groups *Groups
	work   chan func()
}

// A Place is where a process runs.
type Place struct {
	Group string
	CPUs  []int
	Nice  int // priority; 0 is the normal one
}

// NewSpawner starts the thread of a spawner; it stays until the process ends.
func NewSpawner(g *Groups) *Spawner {
	s := &Spawner{groups: g, work: make(chan func())}
	go func() {
		runtime.LockOSThread() // never given back
		for f := range s.work {
			f()
		}
	}()
	return s
}

// start starts a command at a place, with the priority of that whatever the driver's is.
func (s *Spawner) start(cmd *exec.Cmd, at Place) error {
	if err := s.groups.Make(at.Group); err != nil {
		return err
	}
	dir, err := os.Open(s.groups.path(at.Group))
	if err != nil {
		return err
	}
	defer dir.Close()
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: unix.SIGKILL, UseCgroupFD: true, CgroupFD: int(dir.Fd())}
	done := make(chan error, 1)
	s.work <- func() {
		if err := at.take(); err != nil {
			done <- err
			return
		}
		done <- cmd.Start()
	}
	if err := <-done; err != nil {
		return fmt.Errorf("start %s: %w", filepath.Base(cmd.Path), err)
	}
	return nil
}

// take gives this thread its cores and priority.
func (p Place) take() error {
	var set unix.CPUSet
	for _, c := range p.CPUs {
		set.Set(c)
	}
	if err := unix.SchedSetaffinity(0, &set); err != nil {
		return fmt.Errorf("take cores %v: %w", p.CPUs, err)
	}
	if err := unix.Setpriority(unix.PRIO_PROCESS, 0, p.Nice); err != nil {
		return fmt.Errorf("take priority %d: %w", p.Nice, err)
	}
	return nil
}

// A Process is one that runs until it is stopped. What it says goes to a file.
type Process struct {
	name string
	cmd  *exec.Cmd
	log  string
	done chan struct{}
}

// Keep starts a process that stays. Its standard output is that of stdout, or its log.
func (s *Spawner) Keep(cmd *exec.Cmd, name, dir string, at Place) (*Process, error) {
	p := &Process{name: name, cmd: cmd, log: filepath.Join(dir, name+".stderr"), done: make(chan struct{})}
	f, err := os.Create(p.log)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	cmd.Stderr = f
	if cmd.Stdout == nil {
		cmd.Stdout = f
	}
	if err := s.start(cmd, at); err != nil {
		return nil, err
	}
	go func() {
		_ = cmd.Wait() // how it ended matters only to who waits for it to be ready, and its log says it
		close(p.done)
	}()
	return p, nil
}

// Signal sends the process a signal.
func (p *Process) Signal(s os.Signal) error { return p.cmd.Process.Signal(s) }

// PID is the process's id, for what the kernel tells of it.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// stopWithin bounds the wait for a process that was asked to end.
const stopWithin = 5 * time.Second

// Stop ends the process and waits for it.
func (p *Process) Stop() {
	_ = p.cmd.Process.Signal(unix.SIGTERM) // it may have ended
	select {
	case <-p.done:
	case <-time.After(stopWithin):
		_ = p.cmd.Process.Kill()
		<-p.done
	}
}

// Words are the last ones of the process.
func (p *Process) Words() string {
	const most = 2000
	b, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(string(b[max(0, len(b)-most):]))
}

// Await asks until ok says nil, the process has ended or the time is up.
func (p *Process) Await(ctx context.Context, within time.Duration, ok func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := ok(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-p.done:
			return fmt.Errorf("%s has ended: %s", p.name, p.Words())
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready after %s: %w; it said: %s", p.name, within, err, p.Words())
		}
	}
}

// Run runs a command to its end and returns what it wrote. When ctx ends first the
// command is killed.
func (s *Spawner) Run(ctx context.Context, cmd *exec.Cmd, at Place) (string, error) {
	var out [2]*os.File
	for i := range out {
		// Files in memory: with a pipe a goroutine here would run while it writes.
		fd, err := unix.MemfdCreate("output", unix.MFD_CLOEXEC)
		if err != nil {
			return "", err
		}
		out[i] = os.NewFile(uintptr(fd), "output")
		defer out[i].Close()
	}
	cmd.Stdout, cmd.Stderr = out[0], out[1]
	if err := s.start(cmd, at); err != nil {
		return "", err
	}
	var failed error
	ended := make(chan struct{})
	go func() {
		failed = cmd.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-ctx.Done():
		_ = cmd.Process.Kill() // it may have ended this moment
		<-ended
		return "", context.Cause(ctx)
	}
	text, readErr := readBack(out[0])
	if failed != nil {
		said, _ := readBack(out[1])
		return "", fmt.Errorf("%s: %w: %s", filepath.Base(cmd.Path), failed, strings.TrimSpace(said+text))
	}
	return text, readErr
}

func readBack(f *os.File) (string, error) {
	b, err := io.ReadAll(io.NewSectionReader(f, 0, 1<<20))
	if err != nil {
		return "", errors.Join(errors.New("read output"), err)
	}
	return string(b), nil
}
