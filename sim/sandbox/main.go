package sandbox

import (
	"errors"
	"fmt"
	"os"
	"os/signal"

	"golang.org/x/sys/unix"
)

// Main is the body of TestMain for tests that need namespaces: it runs the test
// binary again inside a sandbox and ends with its exit code. SIGKILL of `go test`
// leaves the test binary alone, so Main watches its parent and ends the sandbox
// with it. Where the machine has no sandbox the tests run outside and [Require]
// skips those that need one. Main does not return.
func Main(m interface{ Run() int }) {
	if Init() {
		os.Exit(m.Run())
	}
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, unix.SIGINT, unix.SIGTERM, unix.SIGQUIT)
	box, err := Start(Options{})
	var missing *Unavailable
	if errors.As(err, &missing) {
		signal.Reset()
		os.Exit(m.Run())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(codeBroken)
	}
	go func() {
		for s := range signals {
			_ = box.Signal(s) // it may have ended by itself
		}
	}()
	go func() {
		if waitParent() {
			_ = box.Kill()
		}
	}()
	code, err := box.Wait()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(codeBroken)
	}
	os.Exit(code)
}

// waitParent returns true when the parent process has died. It watches the
// process, not the thread that forked us: the parent-death signal would come when
// that thread ends, which the Go runtime of the parent may do at any time. It
// returns false where there is no parent to watch.
func waitParent() bool {
	parent := os.Getppid()
	if parent <= 1 {
		return false
	}
	fd, err := unix.PidfdOpen(parent, 0)
	if err != nil {
		return errors.Is(err, unix.ESRCH)
	}
	defer func() { _ = unix.Close(fd) }()
	if os.Getppid() != parent {
		return true // it died before we looked
	}
	for {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, -1)
		if err != nil && !errors.Is(err, unix.EINTR) {
			return false
		}
		if n > 0 {
			return true
		}
	}
}
