package load

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"

	"golang.org/x/sys/unix"
)

// The responder is what the proxies stand before: one locked thread with an epoll of
// its own, answers that were made beforehand, no work for the collector. It is to
// cost little, for it shares a core with the load, and nothing of it differs from
// proxy to proxy.

// ResponderPart is the name of the part of a sandbox that is a responder; its argument is
// the address to listen at.
const ResponderPart = "unilb-bench-responder"

// Bodies are the answers by the last part of the path.
var Bodies = map[string]int{"128": 128, "16k": 16 << 10, "1m": 1 << 20, "health": 3}

// EchoName answers with the head of the request as it arrived.
const EchoName = "echo"

// BodyOf is the body of n bytes. It repeats after a prime number of them, so that a
// piece that was lost or repeated shows.
func BodyOf(n int) []byte {
	const period = 251
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i % period)
	}
	return b
}

func answerOf(body []byte) []byte {
	head := "HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\nContent-Type: application/octet-stream\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n"
	return append([]byte(head), body...)
}

// maxHead bounds a request in bytes; no load has bodies.
const maxHead = 16 << 10

type responder struct {
	epoll, listener int
	answers         map[string][]byte
	conns           map[int32]*answered
	buf             []byte
}

// answered is a connection. in is the beginning of a request that has not arrived
// whole, out what the socket did not take yet.
type answered struct{ in, out []byte }

// PlayResponder is the part: it serves until it is killed. It returns the exit code.
func PlayResponder() int {
	runtime.LockOSThread()
	runtime.GOMAXPROCS(1)
	debug.SetGCPercent(-1) // a connection is all that it allocates for
	at, err := netip.ParseAddrPort(os.Args[1])
	if err == nil {
		var r *responder
		if r, err = newResponder(at); err == nil {
			err = r.run()
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "responder:", err)
		return broken
	}
	return 0
}

// newResponder listens.
func newResponder(at netip.AddrPort) (*responder, error) {
	r := &responder{answers: map[string][]byte{}, conns: map[int32]*answered{}, buf: make([]byte, 64<<10)}
	for name, n := range Bodies {
		r.answers[name] = answerOf(BodyOf(n))
	}
	var err error
	if r.listener, err = listenSocket(at); err != nil {
		return nil, err
	}
	if r.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return nil, err
	}
	return r, r.watch(r.listener, unix.EPOLLIN)
}

// run serves until an error; it owns the thread that calls it.
func (r *responder) run() error {
	events := make([]unix.EpollEvent, 512)
	for {
		n, err := unix.EpollWait(r.epoll, events, -1)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return err
		}
		for _, e := range events[:n] {
			if int(e.Fd) == r.listener {
				r.accept()
				continue
			}
			r.serve(e)
		}
	}
}

func listenSocket(to netip.AddrPort) (int, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
		return -1, err
	}
	if err := unix.Bind(fd, &unix.SockaddrInet4{Port: int(to.Port()), Addr: to.Addr().As4()}); err != nil {
		return -1, fmt.Errorf("listen on %s: %w", to, err)
	}
	return fd, unix.Listen(fd, 8192)
}

// watch registers a socket once, edge-triggered, for both directions.
func (r *responder) watch(fd int, events uint32) error {
	return unix.EpollCtl(r.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: events, Fd: int32(fd)})
}

func (r *responder) accept() {
	for {
		fd, _, err := unix.Accept4(r.listener, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
		if err != nil {
			return // nobody is there any more
		}
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1) // only slower without
		if err := r.watch(fd, unix.EPOLLIN|unix.EPOLLOUT|unix.EPOLLET); err != nil {
			unix.Close(fd)
			continue
		}
		r.conns[int32(fd)] = &answered{}
	}
}

func (r *responder) serve(e unix.EpollEvent) {
	c := r.conns[e.Fd]
	if c == nil {
		return
	}
	ok := true
	if len(c.out) > 0 && e.Events&unix.EPOLLOUT != 0 {
		ok = c.flush(int(e.Fd))
	}
	if ok && e.Events&(unix.EPOLLIN|unix.EPOLLHUP|unix.EPOLLERR) != 0 {
		ok = r.read(int(e.Fd), c)
	}
	if !ok {
		unix.Close(int(e.Fd))
		delete(r.conns, e.Fd)
	}
}

// read answers what has arrived; false: the connection is over.
func (r *responder) read(fd int, c *answered) bool {
	for {
		n, err := unix.Read(fd, r.buf)
		if errors.Is(err, unix.EAGAIN) {
			return true
		}
		if err != nil || n == 0 {
			return false
		}
		in := r.buf[:n]
		if len(c.in) > 0 {
			c.in = append(c.in, in...)
			in = c.in
		}
		rest := r.answer(c, in)
		if len(rest) > maxHead || !c.flush(fd) {
			return false
		}
		c.in = append(c.in[:0], rest...)
		if n < len(r.buf) {
			return true // drained; what comes now is another event
		}
	}
}

// answer queues the answers to all whole requests, and returns the rest.
func (r *responder) answer(c *answered, in []byte) []byte {
	for {
		head, rest, whole := bytes.Cut(in, []byte("\r\n\r\n"))
		if !whole {
			return in
		}
		a := r.answers[string(lastPart(head))]
		if a == nil {
			a = answerOf(head) // echo, and whatever nobody should ask for
		}
		if len(c.out) == 0 {
			c.out = a // not copied; flush and append treat it as read-only
		} else {
			c.out = append(c.out[:len(c.out):len(c.out)], a...)
		}
		in = rest
	}
}

// lastPart is the last part of the path of a request's first line.
func lastPart(head []byte) []byte {
	_, target, _ := bytes.Cut(head, []byte(" "))
	target, _, _ = bytes.Cut(target, []byte(" "))
	return target[bytes.LastIndexByte(target, '/')+1:]
}

// flush writes until the socket takes no more; false: the connection is over.
func (c *answered) flush(fd int) bool {
	for len(c.out) > 0 {
		n, err := unix.Write(fd, c.out)
		if errors.Is(err, unix.EAGAIN) {
			return true
		}
		if err != nil {
			return false
		}
		c.out = c.out[n:]
	}
	c.out = nil
	return true
}
