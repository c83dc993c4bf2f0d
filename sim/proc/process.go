package proc

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// ErrEnded is returned by signals to a process that has ended.
var ErrEnded = errors.New("process has ended")

// A Process is one child, running or ended.
type Process struct {
	spec    Spec
	cmd     *exec.Cmd
	log     string
	logFile *os.File
	started time.Time

	mu     sync.Mutex
	ended  bool // the process has been waited for: its id is no longer ours
	exit   Exit
	heirs  []int         // that have taken its place, one after another
	named  chan struct{} // closed when the process says who is the main one; nil: nobody waits
	notify *notifySocket
	heard  chan struct{} // see hearAll

	readyOnce sync.Once
	ready     chan struct{}
	readyAt   time.Time
	done      chan struct{}
}

// Name is the name of the process in its Spec.
func (p *Process) Name() string { return p.spec.Name }

// Spec is what the process was started with; it can be started again.
func (p *Process) Spec() Spec { return p.spec }

// Pid is the process id, also after the end; of the successor, when one has taken its
// place.
func (p *Process) Pid() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.main()
}

// main is the process that counts. The lock is held.
func (p *Process) main() int {
	if n := len(p.heirs); n > 0 {
		return p.heirs[n-1]
	}
	return p.group()
}

// group is the group that it leads, and its successors belong to.
func (p *Process) group() int { return p.cmd.Process.Pid }

// LogPath is the file that holds what the process wrote.
func (p *Process) LogPath() string { return p.log }

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Running reports whether the process has not ended; a frozen one is running.
func (p *Process) Running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// Ending reports whether the process has ended, or the kernel is taking it down. A
// process whose end its peers have seen is Ending, but may be Running for the
// milliseconds that it takes to free its memory.
func (p *Process) Ending() bool {
	const flags, exiting = 6, 0x4 // PF_EXITING, see proc_pid_stat(5)
	fields, err := p.stat()
	if err != nil {
		return errors.Is(err, ErrEnded)
	}
	n, err := strconv.ParseUint(fields[flags], 10, 64)
	return err == nil && n&exiting != 0
}

// Kill ends the process and its group with SIGKILL: the kernel closes its
// sockets, so peers see FIN or RST.
func (p *Process) Kill() error { return p.signalGroup(unix.SIGKILL) }

// Freeze stops the process and its group with SIGSTOP: the kernel still accepts
// connections and acknowledges data. It returns when the process has stopped.
func (p *Process) Freeze() error {
	if err := p.signalGroup(unix.SIGSTOP); err != nil {
		return err
	}
	return p.awaitState(true)
}

// Continue takes back Freeze. It returns when the process runs.
func (p *Process) Continue() error {
	if err := p.signalGroup(unix.SIGCONT); err != nil {
		return err
	}
	return p.awaitState(false)
}

// Signal sends a signal to the process alone. It returns ErrEnded when the
// process has ended.
func (p *Process) Signal(s syscall.Signal) error { return p.send(p.main, s) }

func (p *Process) signalGroup(s syscall.Signal) error {
	return p.send(func() int { return -p.group() }, s)
}

// send holds the lock that the collector takes before it frees the process id: a
// signal never reaches anybody else.
func (p *Process) send(to func() int, s syscall.Signal) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended {
		return ErrEnded
	}
	pid := to()
	if len(p.heirs) > 0 && pid > 0 {
		// One whose parent has waited for it has given its number back.
		if group, err := unix.Getpgid(pid); err != nil || group != p.group() {
			return ErrEnded
		}
	}
	if err := unix.Kill(pid, s); err != nil {
		if errors.Is(err, unix.ESRCH) {
			return ErrEnded
		}
		return fmt.Errorf("send %v to %s: %w", s, p.spec.Name, err)
	}
	return nil
}

// awaitState waits until the process is stopped, or is not. The kernel gives no
// event for this to anybody but a tracer, hence the polling.
func (p *Process) awaitState(stopped bool) error {
	const limit = 5 * time.Second
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	deadline := time.After(limit)
	for {
		state, err := p.kernelState()
		if err != nil || state == 'Z' {
			return ErrEnded
		}
		if (state == 'T') == stopped {
			return nil
		}
		select {
		case <-tick.C:
		case <-p.done:
			return ErrEnded
		case <-deadline:
			return fmt.Errorf("signal %s: state is still %c after %v", p.spec.Name, state, limit)
		}
	}
}

// Frozen reports whether the process is stopped.
func (p *Process) Frozen() bool {
	state, err := p.kernelState()
	return err == nil && state == 'T'
}

// kernelState is the state letter of proc_pid_stat(5).
func (p *Process) kernelState() (byte, error) {
	fields, err := p.stat()
	if err != nil {
		return 0, err
	}
	return fields[0][0], nil
}

// statFields is how many fields of the file are used.
const statFields = 22

// stat returns the fields of /proc/pid/stat from the third on.
func (p *Process) stat() ([]string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended {
		return nil, ErrEnded
	}
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.main()))
	if err != nil {
		return nil, fmt.Errorf("read state of %s: %w", p.spec.Name, err)
	}
	_, rest, ok := strings.Cut(string(b), ") ")
	fields := strings.Fields(rest)
	if !ok || len(fields) < statFields {
		return nil, fmt.Errorf("read state of %s: cannot read %q", p.spec.Name, b)
	}
	return fields, nil
}

// collect waits for the end of the process, and of those that have taken its place, and
// kills what they left in the group.
func (p *Process) collect(maxLog int64) {
	waitFor(p.group()) // the zombie keeps the group's number ours
	p.hearAll()
	p.outlive()
	p.mu.Lock()
	_ = unix.Kill(-p.group(), unix.SIGKILL) // ESRCH: nobody was left
	_ = p.cmd.Wait()                        // the state says how it ended
	p.ended, p.exit = true, exitOf(p.cmd.ProcessState)
	if last, any := p.bury(); any {
		p.exit = last
	}
	p.mu.Unlock()
	p.closeNotify()
	shorten(p.log, maxLog) // what it wrote since somebody looked
	close(p.done)
}
