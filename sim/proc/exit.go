package proc

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// An Exit says how a process ended. The zero value is a process that has not.
type Exit struct {
	Ended  bool
	Code   int            // 128 plus the signal when one ended it
	Signal syscall.Signal // 0: it ended by itself
	CPU    time.Duration  // user and system time
	MaxRSS int64          // bytes
}

func (e Exit) String() string {
	switch {
	case !e.Ended:
		return "running"
	case e.Signal != 0:
		return "killed by " + unix.SignalName(e.Signal)
	default:
		return "exit code " + strconv.Itoa(e.Code)
	}
}

// Exit returns how the process ended, without waiting.
func (p *Process) Exit() Exit {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.exit
}

func exitOf(state *os.ProcessState) Exit {
	if state == nil {
		return Exit{}
	}
	e := Exit{Ended: true, Code: state.ExitCode(), CPU: state.UserTime() + state.SystemTime()}
	if st, ok := state.Sys().(syscall.WaitStatus); ok {
		e.signaled(st)
	}
	if ru, ok := state.SysUsage().(*syscall.Rusage); ok {
		e.MaxRSS = ru.Maxrss << 10
	}
	return e
}

func (e *Exit) signaled(st syscall.WaitStatus) {
	if st.Signaled() {
		e.Signal, e.Code = st.Signal(), 128+int(st.Signal())
	}
}

// Wait waits for the end of the process.
func (p *Process) Wait(ctx context.Context) (Exit, error) {
	select {
	case <-p.done:
		return p.Exit(), nil
	case <-ctx.Done():
		return Exit{}, fmt.Errorf("wait for %s: %w", p.spec.Name, context.Cause(ctx))
	}
}

// Stop asks the process to end with SIGTERM and kills it when it has not ended
// before ctx is done. A frozen process is continued first. It returns how the
// process ended, and an error only when it had to be killed.
func (p *Process) Stop(ctx context.Context) (Exit, error) {
	for _, s := range []syscall.Signal{unix.SIGTERM, unix.SIGCONT} {
		if err := p.Signal(s); err != nil && !errors.Is(err, ErrEnded) {
			return Exit{}, err
		}
	}
	exit, err := p.Wait(ctx)
	if err == nil {
		return exit, nil
	}
	if err := p.Kill(); err != nil && !errors.Is(err, ErrEnded) {
		return Exit{}, err
	}
	<-p.done
	return p.Exit(), fmt.Errorf("stop %s: killed: %w", p.spec.Name, context.Cause(ctx))
}

// Usage is what a running process has used so far.
type Usage struct {
	CPU   time.Duration `json:"cpu"`   // user and system time, in steps of 10 ms
	RSS   int64         `json:"rss"`   // bytes
	Files int           `json:"files"` // open descriptors
}

// Usage returns what the process uses; ErrEnded after its end (see Exit).
func (p *Process) Usage() (Usage, error) {
	const utime, stime, rss, tick = 11, 12, 21, 10 * time.Millisecond
	fields, err := p.stat()
	if err != nil {
		return Usage{}, err
	}
	var v [3]int64
	for i, at := range []int{utime, stime, rss} {
		if v[i], err = strconv.ParseInt(fields[at], 10, 64); err != nil {
			return Usage{}, fmt.Errorf("read usage of %s: %w", p.spec.Name, err)
		}
	}
	open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.Pid()))
	if err != nil {
		return Usage{}, fmt.Errorf("read usage of %s: %w", p.spec.Name, err)
	}
	return Usage{CPU: time.Duration(v[0]+v[1]) * tick, RSS: v[2] * int64(unix.Getpagesize()), Files: len(open)}, nil
}
