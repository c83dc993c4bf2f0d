package loop

import (
	"fmt"
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A mailbox is how other goroutines reach a loop. Posting never blocks.
type mailbox struct {
	fd int // an eventfd, in the loop's epoll

	mu     sync.Mutex
	mail   []func()
	woken  bool
	closed bool
}

func newMailbox() (*mailbox, error) {
	fd, err := unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("make eventfd: %w", err)
	}
	return &mailbox{fd: fd}, nil
}

// post has f called on the loop. It returns false when the loop has ended.
func (m *mailbox) post(f func()) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return false
	}
	m.mail = append(m.mail, f)
	if !m.woken {
		m.woken = true
		one := uint64(1)
		// It fails only when the counter would overflow, and then the loop is woken already.
		_, _, _ = syscall.Syscall(unix.SYS_WRITE, uintptr(m.fd), uintptr(unsafe.Pointer(&one)), 8)
	}
	return true
}

// take returns what was posted.
func (m *mailbox) take(spare []func()) []func() {
	m.mu.Lock()
	defer m.mu.Unlock()
	mail := m.mail
	m.mail = spare[:0]
	if m.woken {
		m.woken = false
		var n uint64
		_, _, _ = syscall.RawSyscall(unix.SYS_READ, uintptr(m.fd), uintptr(unsafe.Pointer(&n)), 8)
	}
	return mail
}

// close ends the mailbox and returns what was posted before.
func (m *mailbox) close() []func() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	closeFD(m.fd)
	return m.mail
}
