package loop

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// acceptsAtOnce bounds the connections taken from one listener in one batch, so that
// a flood of new ones does not starve those that are there.
const acceptsAtOnce = 64

// acceptPause is how long a listener rests when the process or the machine has no
// descriptors left.
const acceptPause = 100 * time.Millisecond

// A Listener is a listening socket for Engine.Serve.
type Listener struct {
	e      *Engine
	fds    []int // of one address; one after another they are dealt to the loops
	addr   net.Addr
	closed chan struct{}

	mu     sync.Mutex
	served bool // loops accept from it, or have
	ended  bool
}

var _ net.Listener = (*Listener)(nil)

// Listen opens an address with a socket for each loop of the engine (SO_REUSEPORT:
// the kernel spreads connections over them). control may set options of each socket
// before it is bound; nil: none. inherited are listening sockets of that address which
// another process has left to this one. All of them are accepted from, whether there are
// as many loops or not: each has a queue of its own, and who waits in it would be reset.
func (e *Engine) Listen(ctx context.Context, address string, inherited []int, control func(network, address string, c syscall.RawConn) error) (*Listener, error) {
	ln := &Listener{e: e, closed: make(chan struct{}), fds: slices.Clone(inherited)}
	for _, fd := range inherited {
		addr, err := adopt(fd)
		if err != nil {
			ln.closeAll()
			return nil, fmt.Errorf("inherit a listener of %s: %w", address, err)
		}
		ln.addr, address = addr, addr.String()
	}
	for range len(e.loops) - len(inherited) {
		fd, addr, err := listenOne(ctx, address, control)
		if err != nil {
			ln.closeAll()
			return nil, err
		}
		ln.fds, ln.addr = append(ln.fds, fd), addr
		address = addr.String() // a port that the kernel chose is the same for all
	}
	return ln, nil
}

// adopt makes a socket fit for a loop, and returns its address.
func adopt(fd int) (net.Addr, error) {
	if on, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN); err != nil || on == 0 {
		return nil, errors.Join(err, errors.New("the socket does not listen"))
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		return nil, err
	}
	unix.CloseOnExec(fd)
	return net.TCPAddrFromAddrPort(localAddr(fd)), nil
}

// Sockets returns duplicates of the listening sockets, for another process. They are the
// caller's to close.
func (ln *Listener) Sockets() ([]int, error) {
	ln.mu.Lock()
	defer ln.mu.Unlock()
	if ln.ended {
		return nil, net.ErrClosed
	}
	var out []int
	for _, fd := range ln.fds {
		dup, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			for _, fd := range out {
				closeFD(fd)
			}
			return nil, fmt.Errorf("duplicate a listener of %s: %w", ln.addr, err)
		}
		out = append(out, dup)
	}
	return out, nil
}

// listenOne lets the library read the address and make the socket, and takes the
// socket over: nobody but a loop is to wait for it.
func listenOne(ctx context.Context, address string, control func(network, address string, c syscall.RawConn) error) (int, net.Addr, error) {
	c := net.ListenConfig{Control: func(network, address string, raw syscall.RawConn) error {
		var failed error
		err := raw.Control(func(fd uintptr) { failed = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1) })
		if err = errors.Join(err, failed); err != nil || control == nil {
			return err
		}
		return control(network, address, raw)
	}}
	c.SetMultipathTCP(false)
	ln, err := c.Listen(ctx, "tcp", address)
	if err != nil {
		return -1, nil, err
	}
	defer ln.Close() // the socket lives on by our descriptor
	fd, err := duplicate(ln.(*net.TCPListener))
	if err != nil {
		return -1, nil, fmt.Errorf("listen on %s: %w", address, err)
	}
	return fd, ln.Addr(), nil
}

// duplicate returns a descriptor of our own for a socket of the library.
func duplicate(c syscall.Conn) (int, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return -1, err
	}
	fd, failed := -1, error(nil)
	err = raw.Control(func(f uintptr) { fd, failed = unix.FcntlInt(f, unix.F_DUPFD_CLOEXEC, 0) })
	return fd, errors.Join(err, failed)
}

// Accept waits for the end of the listener: loops take its connections.
func (ln *Listener) Accept() (net.Conn, error) {
	<-ln.closed
	return nil, net.ErrClosed
}

// Close ends accepting: when it returns, another listener of the address gets every
// connection. Those that stand live on. Idempotent.
func (ln *Listener) Close() error {
	ln.mu.Lock()
	defer ln.mu.Unlock()
	if ln.ended {
		return nil
	}
	ln.ended = true
	close(ln.closed)
	if !ln.served {
		ln.closeAll()
		return nil
	}
	for i, fd := range ln.fds {
		l := ln.loop(i)
		_ = l.ask(func() error { l.unlisten(fd); return nil }) // a loop that has ended has closed it
	}
	return nil
}

// serve has every loop accept from the listener.
func (ln *Listener) serve(secure bool) error {
	ln.mu.Lock()
	defer ln.mu.Unlock()
	if ln.ended {
		return nil
	}
	ln.served = true
	for i, fd := range ln.fds {
		l := ln.loop(i)
		listen := func() error {
			if l.ended {
				return errEnd
			}
			return l.listen(fd, secure)
		}
		if err := l.ask(listen); err != nil {
			return err
		}
	}
	return nil
}

// loop is the one that accepts from a socket.
func (ln *Listener) loop(i int) *loop { return ln.e.loops[i%len(ln.e.loops)] }

// Addr is the address that is listened on.
func (ln *Listener) Addr() net.Addr { return ln.addr }

func (ln *Listener) closeAll() {
	for _, fd := range ln.fds {
		closeFD(fd)
	}
	ln.fds = nil
}

// accepting is a listening socket of a loop.
type accepting struct {
	l      *loop
	fd     int
	secure bool
	rest   *time.Timer // while there are no descriptors
}

// listen begins to accept. It runs on the loop.
func (l *loop) listen(fd int, secure bool) error {
	if e := l.poll.add(fd, unix.EPOLLIN, 0); e != 0 {
		return fmt.Errorf("watch a listener: %w", e)
	}
	l.listeners[fd] = &accepting{l: l, fd: fd, secure: secure}
	return nil
}

// unlisten takes what has come and ends accepting.
func (l *loop) unlisten(fd int) {
	a := l.listeners[fd]
	if a == nil {
		closeFD(fd) // listening to it has failed
		return
	}
	for a.accept() == acceptsAtOnce {
	}
	if a.rest != nil {
		a.rest.Stop()
	}
	delete(l.listeners, fd)
	// Another process may have the socket as well. It then lives on, and would wake us
	// for ever: closing takes a descriptor out of an epoll only with its last duplicate.
	_ = l.poll.remove(fd) // it was watched before
	closeFD(fd)
}

// accept takes what has come, up to a bound, and returns how many that were. The
// listener is level-triggered: what is left has another event.
func (a *accepting) accept() int {
	l := a.l
	for n := range acceptsAtOnce {
		fd, remote, e := accept(a.fd)
		switch e {
		case 0:
		case unix.EINTR, unix.ECONNABORTED:
			continue
		case unix.EMFILE, unix.ENFILE, unix.ENOBUFS, unix.ENOMEM:
			a.pause(e)
			return n
		default:
			return n
		}
		if !l.e.room.Enter() {
			closeFD(fd)
			continue
		}
		l.welcome(fd, remote, localAddr(fd), a.secure)
	}
	return acceptsAtOnce
}

// pause stops asking for connections for a moment. Those that come meanwhile wait in
// the kernel.
func (a *accepting) pause(e syscall.Errno) {
	l := a.l
	l.e.room.Short(e)
	if l.poll.modify(a.fd, 0, 0) != 0 {
		return
	}
	a.rest = time.AfterFunc(acceptPause, func() {
		l.mail.post(func() {
			if l.listeners[a.fd] == a {
				_ = l.poll.modify(a.fd, unix.EPOLLIN, 0) // it was watched before
			}
		})
	})
}
