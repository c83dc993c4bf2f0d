package proc

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Replace sends a signal upon which the process has another one take its place, and
// returns when it has said by sd_notify, with MAINPID, who the main process is: another
// one, or itself when it executes its program anew. Pid, Signal, Usage and the end are
// those of the successor from then on; the process, which may have work to finish,
// stays in the group that Kill and Freeze concern.
func (p *Process) Replace(ctx context.Context, s syscall.Signal) error {
	if p.notify == nil {
		return fmt.Errorf("replace %s: it does not tell by sd_notify who takes its place", p.spec.Name)
	}
	// The successor is a child of the process. It becomes ours when that ends.
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("become the parent of successors: %w", err)
	}
	named := p.expect()
	if err := p.Signal(s); err != nil {
		return fmt.Errorf("replace %s: %w", p.spec.Name, err)
	}
	var err error
	select {
	case <-named:
		return nil
	case <-p.done:
		err = fmt.Errorf("it ended: %s", p.Exit())
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	return fmt.Errorf("replace %s: nothing has taken its place: %w; its last lines:\n%s", p.spec.Name, err, p.Tail(tailBytes))
}

// expect returns what is closed when the process next says who the main process is.
func (p *Process) expect() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.named == nil {
		p.named = make(chan struct{})
	}
	return p.named
}

// name takes what a process says about who the main process is. One that is not of the
// group is none that we started, and nobody believes it.
func (p *Process) name(text string) {
	pid, err := strconv.Atoi(text)
	p.mu.Lock()
	defer p.mu.Unlock()
	if group, gerr := unix.Getpgid(pid); err != nil || gerr != nil || group != p.group() || p.ended {
		return
	}
	if pid != p.main() {
		p.heirs = append(p.heirs, pid)
	}
	if p.named != nil {
		close(p.named)
		p.named = nil
	}
}

// heardName marks a message to ourselves, and heardWait bounds the wait for it.
const (
	heardName = "X-HEARD"
	heardWait = 5 * time.Second
)

// hearAll returns when all that the process has said by sd_notify was heard: who takes
// its place must be known when it has ended.
func (p *Process) hearAll() {
	if p.notify == nil {
		return
	}
	c, err := net.Dial("unixgram", p.notify.path)
	if err != nil {
		return // nobody could have said anything
	}
	defer func() { _ = c.Close() }()
	if _, err := c.Write([]byte(heardName + "=1")); err != nil {
		return
	}
	select {
	case <-p.heard:
	case <-time.After(heardWait):
	}
}

// saidAll tells hearAll that its message has come.
func (p *Process) saidAll() {
	select {
	case p.heard <- struct{}{}:
	default: // it does not wait any more
	}
}

// outlive waits for the ends of those that have taken the place of the process, which
// has ended. What is left of them stays ours: nobody gets their numbers.
func (p *Process) outlive() {
	for i := 0; ; i++ {
		p.mu.Lock()
		if i == len(p.heirs) {
			p.mu.Unlock()
			return
		}
		heir := p.heirs[i]
		p.mu.Unlock()
		waitFor(heir)
		p.hearAll()
	}
}

// waitFor waits until a child has ended, and leaves it a zombie. It returns at once when
// its own parent has waited for it.
func waitFor(pid int) {
	var info unix.Siginfo
	for errors.Is(unix.Waitid(unix.P_PID, pid, &info, unix.WEXITED|unix.WNOWAIT, nil), unix.EINTR) {
	}
}

// bury frees the numbers of the successors and says how the last ended; false: there was
// none. The lock is held.
func (p *Process) bury() (last Exit, any bool) {
	for _, pid := range p.heirs {
		var st syscall.WaitStatus
		var ru syscall.Rusage
		last = Exit{Ended: true} // of one that its parent has waited for nobody knows how
		if n, err := syscall.Wait4(pid, &st, syscall.WNOHANG, &ru); err == nil && n == pid {
			last.Code, last.CPU, last.MaxRSS = st.ExitStatus(), time.Duration(ru.Utime.Nano()+ru.Stime.Nano()), ru.Maxrss<<10
			last.signaled(st)
		}
	}
	return last, len(p.heirs) > 0
}
