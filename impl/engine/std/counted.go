package std

import (
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

// counted is a connection to a target that knows whether it took anything, and
// whether it has more to give than it was asked for. The library tells when it has
// a connection and when it wrote a whole request; what decides whether a request
// may go to another target lies between.
type counted struct {
	net.Conn
	// written counts the bytes that were accepted. A write under way counts
	// whole: some of it may have left.
	written atomic.Int64

	mu      sync.Mutex
	reading bool          // a read is under way: nothing is left of what was read before
	closed  bool          // by us
	unasked bool          // a request has the connection and has not begun to write
	settled chan struct{} // closed when reading or closed becomes true; nil: nobody waits
}

// errSurplus ends a connection on which a target speaks unasked.
var errSurplus = errors.New("target sent more than it was asked for")

// Read refuses what comes between two requests.
func (c *counted) Read(b []byte) (int, error) {
	c.mu.Lock()
	c.reading = true
	c.settle()
	c.mu.Unlock()
	n, err := c.Conn.Read(b)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reading = false
	if n > 0 && c.unasked {
		return 0, errSurplus
	}
	return n, err
}

// Close tells who waits, too.
func (c *counted) Close() error {
	c.mu.Lock()
	c.closed = true
	c.settle()
	c.mu.Unlock()
	return c.Conn.Close()
}

// settle is called with the lock held.
func (c *counted) settle() {
	if c.settled != nil {
		close(c.settled)
		c.settled = nil
	}
}

// take is for a request that got a kept connection. The library offers one
// before it has looked whether there is more on it than the answer, and then
// takes the surplus for the answer to whoever was quicker than its look. Its next
// step is that look, which closes the connection when there is something, and
// else reads: take waits for it.
func (c *counted) take() {
	c.mu.Lock()
	c.unasked = true
	for !c.reading && !c.closed {
		if c.settled == nil {
			c.settled = make(chan struct{})
		}
		wait := c.settled
		c.mu.Unlock()
		<-wait
		c.mu.Lock()
	}
	c.mu.Unlock()
}

func (c *counted) Write(b []byte) (int, error) {
	c.mu.Lock()
	c.unasked = false
	c.mu.Unlock()
	c.written.Add(int64(len(b)))
	n, err := c.Conn.Write(b)
	c.written.Add(int64(n - len(b)))
	return n, err
}

// ended tells whether the target has closed or reset the connection, as far as
// this machine knows.
func (c *counted) ended() bool {
	ended, waiting := peek(c.Conn)
	_, secure := c.Conn.(*tls.Conn)
	// What waits on an idle connection with TLS is most likely the word of its end: a
	// new one costs less than a request.
	return ended || secure && waiting
}

// peek tells whether a connection, with TLS or without, has ended as far as this machine
// knows, and whether bytes of it wait to be read. It takes nothing from the
// connection, and it does not wait for the goroutine that reads from it to notice.
func peek(c net.Conn) (ended, waiting bool) {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	sc, ok := c.(syscall.Conn)
	if !ok {
		return false, false
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return true, false // closed by us
	}
	// Control and not Read: a read is under way already and would block ours.
	err = raw.Control(func(fd uintptr) {
		var b [1]byte
		n, _, err := unix.Recvfrom(int(fd), b[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
		switch {
		case err == nil:
			ended, waiting = n == 0, n > 0
		case !errors.Is(err, unix.EAGAIN) && !errors.Is(err, unix.EINTR):
			ended = true
		}
	})
	return err != nil || ended, waiting
}

// maxStale bounds the kept connections that one attempt may find ended, one
// after another, before it counts as failed.
const maxStale = 8

// maxRefused bounds how often one attempt asks a target again that has refused it.
const maxRefused = 2

// gotConn is called by the transport, in the goroutine of the attempt.
func (t *try) gotConn(info httptrace.GotConnInfo) {
	t.took = t.sent()
	c, ok := info.Conn.(*counted)
	if !ok {
		t.took = true // it cannot tell
		return
	}
	t.conn, t.mark, t.reused = c, c.written.Load(), info.Reused
	if info.Reused {
		c.take()
	}
	// A request that must not be sent twice is not risked on a connection
	// whose end is known already. Writing to a closed one takes no byte, so
	// the transport takes the next or makes a new one.
	if info.Reused && !repeatable(t.run.x.Request.Method) && c.ended() {
		_ = c.Close() // it only fails when it is closed already
	}
}

// repeatable methods are repeated by the transport when a kept connection ends.
func repeatable(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return true
	}
	return false
}

// sent tells whether any connection took a byte of the request.
func (t *try) sent() bool {
	return t.wrote.Load() || t.took || t.conn != nil && t.conn.written.Load() > t.mark
}

// stale tells that the attempt only found a kept connection ended: its target
// was not even asked, and can be. The transport itself gives up on a request
// with a body when the end came between its choice and the first byte. Or the target
// said that only the connection ends, and that it has not looked at the request.
func (t *try) stale(err error) bool {
	var dial *dialError
	again := t.reused && !t.sent() || beyondGoAway(err)
	if !again && refused(err) {
		t.refused++
		again = t.refused <= maxRefused
	}
	if !again || errors.As(err, &dial) || t.run.r.Context().Err() != nil {
		return false
	}
	if _, timedOut := t.timedOut(); timedOut {
		return false
	}
	return t.body == nil || t.run.body.clientError() == nil && t.body.detach()
}
