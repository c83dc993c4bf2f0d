package sandbox

import (
	"fmt"
	"math"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// codeBroken is pid 1's exit code when it could not build the sandbox.
const codeBroken = 125

// Init plays the part this process was started for. In pid 1 of a sandbox, and in
// a process started by [Part], it never returns. Otherwise it returns, and reports whether this is the inner
// process of a sandbox. Call it before anything else in main.
func Init() bool {
	stage := os.Getenv(stageVar)
	_ = os.Unsetenv(stageVar) // children may have sandboxes of their own
	if files, ok := strings.CutPrefix(stage, "init:"); ok {
		n, err := strconv.Atoi(files)
		if err != nil {
			die(fmt.Errorf("read stage %q: %w", stage, err))
		}
		beInit(n)
	}
	playPart(stage)
	if stage != stageInner {
		return false
	}
	// Files that were handed in are for this process, not for its children.
	if err := unix.CloseRange(3, math.MaxInt32, unix.CLOSE_RANGE_CLOEXEC); err != nil {
		die(fmt.Errorf("keep files from children: %w", err))
	}
	return true
}

func die(err error) {
	fmt.Fprintln(os.Stderr, "sandbox:", err)
	os.Exit(codeBroken)
}

// beInit is pid 1: mounts, inner process, reaping. Descriptor 3 is the lifeline
// and the files for the inner process follow it.
func beInit(files int) {
	// The inner process's parent-death signal is tied to this thread.
	runtime.LockOSThread()
	if os.Getpid() != 1 {
		die(fmt.Errorf("process %d was told to be pid 1", os.Getpid()))
	}
	go watchLifeline(os.NewFile(3, "lifeline"))
	if err := build(); err != nil {
		die(err)
	}
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, unix.SIGINT, unix.SIGTERM, unix.SIGQUIT)
	pid, err := startInner(files)
	if err != nil {
		die(err)
	}
	go func() {
		for s := range signals {
			// The inner process is reaped by this process alone, which then ends:
			// the pid cannot have been given to anyone else.
			_ = unix.Kill(pid, s.(syscall.Signal))
		}
	}()
	os.Exit(reap(pid))
}

// watchLifeline ends the sandbox when the outer process is gone.
func watchLifeline(f *os.File) {
	var b [1]byte
	for {
		var st unix.Stat_t
		if unix.Fstat(int(f.Fd()), &st) == nil && st.Mode&unix.S_IFMT != unix.S_IFIFO {
			return // detached
		}
		if n, err := f.Read(b[:]); n == 0 || err != nil {
			os.Exit(128 + int(unix.SIGKILL))
		}
	}
}

func startInner(files int) (int, error) {
	fds := []uintptr{0, 1, 2}
	for i := range files {
		fds = append(fds, uintptr(4+i))
	}
	pid, err := syscall.ForkExec("/proc/self/exe", os.Args, &syscall.ProcAttr{
		Env:   append(os.Environ(), stageVar+"="+stageInner),
		Files: fds,
		Sys:   &syscall.SysProcAttr{Pdeathsig: unix.SIGKILL},
	})
	if err != nil {
		return 0, fmt.Errorf("start inner process: %w", err)
	}
	for _, fd := range fds[3:] {
		_ = unix.Close(int(fd)) // an open copy here would hide that the other end was closed
	}
	return pid, nil
}

// reap collects every child, ours and orphans, until the inner process has ended
// and returns its exit code. Leaving then ends all the others.
func reap(inner int) int {
	for {
		var st syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &st, 0, nil)
		switch {
		case err == syscall.EINTR:
			continue
		case err != nil:
			return codeBroken
		case pid == inner:
			return statusCode(st)
		}
	}
}
