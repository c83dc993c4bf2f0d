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

// poller is an epoll instance. Its ways of waiting are fields for the tests of wait.
type poller struct {
	ep     int
	events []unix.EpollEvent

	raw       func(ep int, events []unix.EpollEvent, ms int) (int, syscall.Errno)
	scheduled func(ep int, events []unix.EpollEvent, ms int) (int, error)
	yield     func()
}

const batchEvents = 256 // in one batch, at most

func newPoller() (*poller, error) {
	ep, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("make epoll: %w", err)
	}
	return &poller{ep: ep, events: make([]unix.EpollEvent, batchEvents), raw: rawEpollWait, scheduled: unix.EpollWait, yield: runtime.Gosched}, nil
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
// It waits the raw way first and for rawWait only. When nothing came it waits for the
// rest the scheduler's way, which gives the processor to other goroutines.
//
// After an interrupted raw wait it yields. The runtime interrupts a thread to stop
// it for a garbage collection, and whoever waits on without yielding keeps the
// collection waiting without end.
func (p *poller) wait(limit time.Duration) []unix.EpollEvent {
	raw := rawWait
	if limit >= 0 && limit < raw {
		raw = limit
	}
	n, e := p.raw(p.ep, p.events, millis(raw))
	if e == unix.EINTR {
		p.yield()
		return nil
	}
	if e != 0 {
		return nil
	}
	if n > 0 || limit >= 0 && limit <= rawWait {
		return p.events[:n]
	}
	if limit >= 0 {
		limit -= raw
	}
	n, err := p.scheduled(p.ep, p.events, millis(limit))
	if err != nil {
		return nil // interrupted
	}
	return p.events[:n]
}

// rawEpollWait waits without telling the scheduler.
func rawEpollWait(ep int, events []unix.EpollEvent, ms int) (int, syscall.Errno) {
	n, _, e := syscall.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(ep), uintptr(unsafe.Pointer(unsafe.SliceData(events))), uintptr(len(events)), uintptr(ms), 0, 0)
	return int(n), e
}

// millis rounds up, so that a wait never ends just before what it waits for.
func millis(d time.Duration) int {
	if d < 0 {
		return -1
	}
	return int((d + time.Millisecond - 1) / time.Millisecond)
}
