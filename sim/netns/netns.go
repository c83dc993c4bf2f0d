// Package netns owns network namespaces: making them, switching a thread into
// them, and starting children inside them. It is the only package of the
// testbed that switches namespaces, because every rule about it is a rule about
// threads:
//
//   - only the locked thread is inside; a goroutine started inside a function
//     given to [NS.Do] runs outside, so nothing may be started there, and name
//     lookups or dual-stack dials (which start goroutines) must not be made;
//   - a socket belongs for ever to the namespace in which it was created, so it
//     is created inside and then used from anywhere;
//   - a thread whose namespace could not be restored is never unlocked: it ends
//     with its goroutine.
//
// Namespaces are anonymous: they live as long as a handle, a socket or a process
// in them, and need no cleaning up. The package never names a namespace under
// /run/netns and never configures what is inside one (see sim/link).
//
// An [NS] is safe for concurrent use. A [Thread] is too; its work is serialised.
package netns

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"

	cni "github.com/containernetworking/plugins/pkg/ns"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// A thread that is thrown away ends with its goroutine, but for the first one of a
// process: that one is parked for ever, in whatever namespace it was, and keeps it
// alive. Locked while packages start, it belongs to main and is never handed out.
func init() { runtime.LockOSThread() }

// ErrClosed is returned by every use of a namespace after Close.
var ErrClosed = errors.New("network namespace handle is closed")

// An NS is a handle to a network namespace.
type NS struct {
	mu     sync.RWMutex // held for reading while in use, for writing to close
	ns     cni.NetNS
	closed bool
}

// New makes a network namespace with nothing in it but a loopback device that is
// down. It needs CAP_SYS_ADMIN.
func New() (*NS, error) {
	return onFreshThread(func() (*NS, error) {
		fd, err := netns.New() // unshares this thread
		if err != nil {
			return nil, fmt.Errorf("make network namespace: %w", err)
		}
		defer func() { _ = fd.Close() }()
		return open(fd)
	})
}

// Own is a handle to the namespace of this process, that of its main thread: the
// inside of a sandbox, say.
func Own() (*NS, error) {
	ns, err := cni.GetNS("/proc/self/ns/net")
	if err != nil {
		return nil, fmt.Errorf("open own network namespace: %w", err)
	}
	return &NS{ns: ns}, nil
}

// onFreshThread runs f on a locked thread and throws the thread away: f may
// leave it in any namespace.
func onFreshThread(f func() (*NS, error)) (*NS, error) {
	type result struct {
		ns  *NS
		err error
	}
	out := make(chan result, 1)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		ns, err := f()
		out <- result{ns, err}
	}()
	r := <-out
	return r.ns, r.err
}

func open(fd netns.NsHandle) (*NS, error) {
	ns, err := cni.GetNS(fmt.Sprintf("/proc/self/fd/%d", int(fd)))
	if err != nil {
		return nil, fmt.Errorf("open network namespace: %w", err)
	}
	return &NS{ns: ns}, nil
}

// Do runs f on a locked thread inside the namespace and returns its error. Start
// nothing inside f, neither goroutines nor processes, and use literal addresses
// only. A test must not end itself (t.FailNow) inside f.
func (n *NS) Do(f func() error) error {
	n.mu.RLock()
	defer n.mu.RUnlock()
	if n.closed {
		return ErrClosed
	}
	return n.ns.Do(func(cni.NetNS) error { return f() })
}

// FD is the descriptor of the namespace, for netlink requests that place a device
// in it. It is valid until Close; -1 after it.
func (n *NS) FD() int {
	n.mu.RLock()
	defer n.mu.RUnlock()
	if n.closed {
		return -1
	}
	return int(n.ns.Fd())
}

// Path is a name of the namespace that other processes can open while this
// process lives and the handle is open.
func (n *NS) Path() string { return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), n.FD()) }

// ID identifies the namespace on this machine: two handles to one namespace have
// equal IDs. The zero value is returned after Close.
func (n *NS) ID() (ID, error) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	if n.closed {
		return ID{}, ErrClosed
	}
	var st unix.Stat_t
	if err := unix.Fstat(int(n.ns.Fd()), &st); err != nil {
		return ID{}, fmt.Errorf("stat network namespace: %w", err)
	}
	return ID{Dev: st.Dev, Inode: st.Ino}, nil
}

// An ID identifies a namespace while it exists.
type ID struct{ Dev, Inode uint64 }

// Close gives up the handle, waiting for calls of Do to return. The kernel frees
// the namespace when nothing else holds it. Later calls do nothing.
func (n *NS) Close() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return nil
	}
	n.closed = true
	return n.ns.Close()
}
