package loop

import (
	"fmt"
	"runtime"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// rawWait is how long a loop waits without telling the scheduler. Waking up from
// such a wait costs half of what the scheduler's own way costs, and while it lasts
// the processor of the Go scheduler stays taken: the longer, the longer a garbage
// collection may have to wait for us.
const rawWait = 5 * time.Millisecond

// poller is an epoll instance.
type poller struct {
	ep     int
	events []unix.EpollEvent
}

const batchEvents = 256 // in one batch, at most

func newPoller() (*poller, error) {
	ep, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("make epoll: %w", err)
	}
	return &poller{ep: ep, events: make([]unix.EpollEvent, batchEvents)}, nil
}

// edges are what a connection is registered for, once: in, out and the peer's end,
// edge-triggered.
const edges = unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLRDHUP | 1<<31

// add registers a descriptor; gen tells its events from those of an earlier one of
// the same number.
func (p *poller) add(fd int, events, gen uint32) syscall.Errno {
	return p.ctl(unix.EPOLL_CTL_ADD, fd, events, gen)
}

func (p *poller) modify(fd int, events, gen uint32) syscall.Errno {
	return p.ctl(unix.EPOLL_CTL_MOD, fd, events, gen)
}

func (p *poller) remove(fd int) syscall.Errno { return p.ctl(unix.EPOLL_CTL_DEL, fd, 0, 0) }

func (p *poller) ctl(op, fd int, events, gen uint32) syscall.Errno {
	ev := unix.EpollEvent{Events: events, Fd: int32(fd), Pad: int32(gen)}
	_, _, e := syscall.RawSyscall6(unix.SYS_EPOLL_CTL, uintptr(p.ep), uintptr(op), uintptr(fd), uintptr(unsafe.Pointer(&ev)), 0, 0)
	return e
}

// wait returns the next events, or none when limit has passed; a limit below zero
// is none. It keeps two rules:
//
// It waits the raw way first and for rawWait only. When nothing came it waits the
// scheduler's way, which gives the processor to other goroutines.
//
// After an interrupted raw wait it yields. The runtime interrupts a thread to stop
// it for a garbage collection, and whoever waits on without yielding keeps the
// collection waiting without end.
func (p *poller) wait(limit time.Duration) []unix.EpollEvent {
	raw := rawWait
	if limit >= 0 && limit < raw {
		raw = limit
	}
	n, _, e := syscall.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(p.ep), uintptr(unsafe.Pointer(unsafe.SliceData(p.events))), uintptr(len(p.events)), uintptr(millis(raw)), 0, 0)
	if e == unix.EINTR {
		runtime.Gosched()
		return nil
	}
	if e != 0 {
		return nil
	}
	if n > 0 || limit >= 0 && limit <= rawWait {
		return p.events[:n]
	}
	got, err := unix.EpollWait(p.ep, p.events, millis(limit))
	if err != nil {
		return nil // interrupted
	}
	return p.events[:got]
}

// millis rounds up, so that a wait never ends just before what it waits for.
func millis(d time.Duration) int {
	if d < 0 {
		return -1
	}
	return int((d + time.Millisecond - 1) / time.Millisecond)
}
