package echo

import (
	"io"
	"net"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// lingerTimeout is how long a connection that we ended waits for the peer's end:
	// closed with bytes of the peer unread, it would be reset instead.
	lingerTimeout = 10 * time.Second
	// lookEvery is how often a connection that is not read is looked at.
	lookEvery = 20 * time.Millisecond
)

// reset ends the connection with a RST, which no reader can take for the
// orderly end of a response.
func reset(c net.Conn) {
	if x, ok := c.(*conn); ok {
		c = x.Conn
	}
	if t, ok := c.(interface{ SetLinger(int) error }); ok {
		_ = t.SetLinger(0) // the close below cuts the connection all the same
	}
	_ = c.Close()
}

// finish ends our side with a FIN and waits for the peer's end.
func (s *Server) finish(c *conn) {
	if t := c.tcp(); t == nil || t.CloseWrite() != nil {
		return // the caller closes
	}
	if c.SetReadDeadline(time.Now().Add(lingerTimeout)) == nil {
		_, _ = io.Copy(io.Discard, c) // any end of it is the end we wait for
	}
}

// hold keeps a connection until the peer gives it up or the server closes. What
// the peer sends is thrown away, or left where it is.
func (s *Server) hold(c *conn, unread bool) {
	_ = c.SetDeadline(time.Time{}) // when it is gone already, what follows ends at once
	if !unread {
		_, _ = io.Copy(io.Discard, &c.r) // Close closes the connection
		return
	}
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for !gone(c) {
		select {
		case <-tick.C:
		case <-s.done:
			return
		}
	}
}

// gone says whether the peer has ended the connection; unlike a read it sees that
// behind bytes that nobody has read. Where it cannot look it says so at once.
func gone(c *conn) bool {
	t := c.tcp()
	if t == nil {
		return true
	}
	raw, err := t.SyscallConn()
	if err != nil {
		return true
	}
	over := false
	err = raw.Control(func(fd uintptr) {
		p := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLRDHUP}}
		n, err := unix.Poll(p, 0)
		over = err == nil && n > 0
	})
	return err != nil || over
}

// garbage is n bytes that nobody can take for HTTP, in lines, so that a peer need
// not wait for the end of the first one.
func garbage(n int) []byte {
	b := Pattern(n)
	const line = 64
	for i := line - 2; i+1 < n; i += line {
		b[i], b[i+1] = '\r', '\n'
	}
	return b
}
