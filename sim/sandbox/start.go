package sandbox

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// stageVar tells a re-executed program which part it has to play.
const stageVar = "LBSIM_SANDBOX"

const stageInner = "inner"

// Options say how the inner process is started. The zero value runs this
// program again with its own arguments, environment and standard streams.
type Options struct {
	Args []string // arguments after the program's name; nil: those of this process
	Env  []string // nil: that of this process
	// Stdin, Stdout and Stderr of the inner process; nil: those of this process.
	Stdin, Stdout, Stderr *os.File
	Files                 []*os.File // become descriptors 3, 4, ... of the inner process
	// Detach lets the sandbox outlive this process. Use it only for a supervisor
	// that can be found again: nothing else ends it.
	Detach bool
}

// Unavailable says that this machine or user cannot have a sandbox.
type Unavailable struct{ Err error }

func (e *Unavailable) Error() string { return "no sandbox on this machine: " + e.Err.Error() }
func (e *Unavailable) Unwrap() error { return e.Err }

// A Box is a running sandbox, seen from outside. It is safe for concurrent use.
type Box struct {
	cmd      *exec.Cmd
	lifeline *os.File // its other end is watched by pid 1; nil when detached
	done     chan struct{}
	code     int
	err      error
}

// Start runs this program inside a new sandbox. The program must call [Init] or
// [Main] first of all. The error is *Unavailable when the kernel refuses the
// namespaces.
func Start(o Options) (*Box, error) {
	b := &Box{done: make(chan struct{})}
	cmd, far, err := b.command(o)
	if err != nil {
		return nil, err
	}
	b.cmd = cmd
	started := make(chan error)
	go func() {
		// A parent-death signal belongs to the thread that forked, so the thread
		// waits for the child. It ends with the process at the latest.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		far.Close()
		started <- err
		if err != nil {
			return
		}
		b.code, b.err = exitCode(cmd.Wait())
		close(b.done)
	}()
	if err := <-started; err != nil {
		b.release()
		if errors.Is(err, unix.EPERM) || errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EINVAL) {
			return nil, &Unavailable{Err: err}
		}
		return nil, fmt.Errorf("start sandbox: %w", err)
	}
	return b, nil
}

// command prepares pid 1. The returned file is the end of the lifeline to close
// once pid 1 holds it.
func (b *Box) command(o Options) (*exec.Cmd, *os.File, error) {
	near, far, err := lifeline(o.Detach)
	if err != nil {
		return nil, nil, err
	}
	b.lifeline = near
	if o.Args == nil {
		o.Args = os.Args[1:]
	}
	if o.Env == nil {
		o.Env = os.Environ()
	}
	cmd := exec.Command("/proc/self/exe", o.Args...)
	cmd.Args[0] = os.Args[0]
	cmd.Env = append(o.Env, stageVar+"=init:"+strconv.Itoa(len(o.Files)))
	cmd.Stdin, cmd.Stdout, cmd.Stderr = or(o.Stdin, os.Stdin), or(o.Stdout, os.Stdout), or(o.Stderr, os.Stderr)
	cmd.ExtraFiles = append([]*os.File{far}, o.Files...)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWPID | unix.CLONE_NEWNS | unix.CLONE_NEWNET,
		Setsid:     true, // an interrupt from the terminal arrives once, through us
	}
	if !o.Detach {
		cmd.SysProcAttr.Pdeathsig = unix.SIGKILL
	}
	if os.Geteuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= unix.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	return cmd, far, nil
}

// lifeline makes the pipe by which pid 1 learns that this process is gone, even
// when it died before the parent-death signal was armed. A detached sandbox gets
// a file that never ends.
func lifeline(detach bool) (near, far *os.File, err error) {
	if detach {
		far, err = os.OpenFile("/dev/null", os.O_RDONLY, 0)
		if err != nil {
			return nil, nil, fmt.Errorf("open lifeline: %w", err)
		}
		return nil, far, nil
	}
	far, near, err = os.Pipe()
	if err != nil {
		return nil, nil, fmt.Errorf("make lifeline: %w", err)
	}
	return near, far, nil
}

func or(f, fallback *os.File) *os.File {
	if f != nil {
		return f
	}
	return fallback
}

// Pid is the process id of the sandbox's pid 1, as seen from here.
func (b *Box) Pid() int { return b.cmd.Process.Pid }

// Signal sends a signal to pid 1, which passes SIGINT, SIGTERM and SIGQUIT on to
// the inner process.
func (b *Box) Signal(s os.Signal) error { return b.cmd.Process.Signal(s) }

// Kill ends everything inside at once.
func (b *Box) Kill() error { return b.cmd.Process.Kill() }

// Wait returns the exit code of the inner process; 128 plus the signal's number
// when a signal ended it.
func (b *Box) Wait() (int, error) {
	<-b.done
	b.release()
	return b.code, b.err
}

func (b *Box) release() {
	if b.lifeline != nil {
		b.lifeline.Close()
	}
}

func exitCode(err error) (int, error) {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0, nil
	case errors.As(err, &exit):
		return statusCode(exit.Sys().(syscall.WaitStatus)), nil
	default:
		return -1, fmt.Errorf("wait for sandbox: %w", err)
	}
}

func statusCode(st syscall.WaitStatus) int {
	if st.Signaled() {
		return 128 + int(st.Signal())
	}
	return st.ExitStatus()
}
