package loop

import (
	"bytes"
	"net/netip"

	"github.com/unilb/unilb/impl/certs"
	"github.com/unilb/unilb/impl/engine/h1"
	"github.com/unilb/unilb/impl/engine/h2"
	"github.com/unilb/unilb/impl/exchange"
)

// A client is a connection from a client. It carries one exchange at a time; what
// comes after that exchange's request waits.
type client struct {
	sock
	remote, local netip.AddrPort
	scan          h1.Scan
	said          *certs.Conn // by the client in its handshake; nil without TLS
	run           *run        // the exchange under way
	mux           *mux        // of HTTP/2; nil: HTTP/1.1
	served        int         // requests
	headFrom      int64
	stuckAt       int64 // when the kernel last took something, while it takes not all
	half          bool  // it has shut down its side, and waits for its answer
	halfWrote     int64 // what it had been sent when that was looked at last
	closing       bool  // nothing is read as a request any more
	lingering     int   // bytes that may be thrown away; 0: not lingering
}

// welcome begins to serve a connection.
func (l *loop) welcome(fd int, remote, local netip.AddrPort, secure bool) {
	c := &client{remote: remote, local: local}
	if secure {
		l.encrypt(c)
	}
	noDelay(fd)
	if e := l.attach(&c.sock, fd, c); e != 0 {
		l.e.room.Leave()
		return
	}
	l.clients[c] = struct{}{}
	l.arm(&c.sock, l.e.o.HeadTimeout)
}

// ready reads as long as somebody wants what comes.
func (c *client) ready() {
	if c.tls != nil && c.tls.shake != nil {
		c.tls.shake.goOn()
		return
	}
	if c.mux != nil {
		c.mux.goOn()
	}
	if len(c.in) > 0 && !c.goOn() {
		return
	}
	for c.open() && c.readable && c.wants() {
		if c.l.tired() {
			c.again()
			return
		}
		b := c.receive(readSize)
		if b == nil {
			return
		}
		c.data(b)
	}
	if c.open() && c.run != nil && !c.half && !c.wants() && c.left() {
		c.readable = false
		c.halve()
		return
	}
	if c.run != nil && c.waiting() == 0 && !c.blocked {
		c.pace()
	}
}

// goOn uses what was held; false means that some of it has to wait still.
func (c *client) goOn() bool {
	if c.run != nil && !c.run.takes() && c.run.tunnel == nil {
		return true // and more may be read only when it is wanted
	}
	b := c.in
	rest := c.use(b)
	if !c.open() {
		return false
	}
	c.hold(rest)
	return len(rest) == 0 || len(rest) < len(b) || c.run == nil
}

// wants tells whether anything that is read now would be used.
func (c *client) wants() bool {
	if c.mux != nil && !c.closing {
		return c.mux.conn.Wants()
	}
	if c.run == nil {
		return !c.full() || c.lingering > 0
	}
	if c.run.tunnel != nil {
		return !c.run.tunnel.toTargetFull()
	}
	return c.run.takes()
}

// data takes what was read.
func (c *client) data(b []byte) {
	if len(c.in) > 0 {
		c.in = append(c.in, b...)
		b = c.in
	}
	rest := c.use(b)
	if c.open() {
		c.hold(rest)
	}
}

// use takes messages and parts of them out of b and returns what has to wait.
func (c *client) use(b []byte) []byte {
	for len(b) > 0 && c.open() {
		switch {
		case c.lingering > 0:
			if c.lingering -= len(b); c.lingering <= 0 {
				c.finish()
			}
			return nil
		case c.closing:
			return nil
		case c.mux != nil:
			return c.mux.feed(b)
		case c.run == nil && c.full():
			return b // its client takes no answers
		case c.served == 0 && b[0] == h2.Preface[0] && c.mayMultiplex(b):
			if c.mux == nil {
				return b
			}
		case c.run == nil:
			n := c.request(b)
			if n == 0 {
				return b
			}
			b = b[n:]
		case c.run.tunnel != nil:
			c.run.tunnel.fromClient(b)
			return nil
		case c.run.takes():
			n := c.part(b)
			if n < 0 {
				return nil
			}
			b = b[n:]
		default:
			return b
		}
	}
	return nil
}

// part takes a part of the request's body from b and returns how much; below zero: the
// connection is not read any more.
func (c *client) part(b []byte) int {
	data, n, done, err := c.run.coming.Next(b)
	if err != nil {
		c.run.clientBad(err)
		return -1
	}
	if !c.run.body(data, done) {
		return -1
	}
	return n
}

// mayMultiplex tells whether the first bytes of a connection may be the preface of
// HTTP/2, which comes without being agreed on (RFC 9113, 3.3), and makes HTTP/2 of the
// connection when it is.
func (c *client) mayMultiplex(b []byte) bool {
	if !c.l.e.o.HTTP2 || c.said != nil { // with TLS it is agreed on
		return false
	}
	may, whole := h2.HasPreface(b)
	if may && whole {
		c.multiplex()
	}
	return may
}

// request looks for the head of a request and begins its exchange. It returns the
// length of the head; 0 when there is none yet.
func (c *client) request(b []byte) int {
	l := c.l
	if c.headFrom == 0 { // the first byte of a head: all of it must come in time
		c.headFrom = l.now
		c.pace()
	}
	n, err := c.scan.Head(b, l.e.o.MaxHead, h1.Request)
	if err != nil {
		c.refuse(b, err)
		return len(b)
	}
	if n == 0 {
		return 0
	}
	c.scan, c.headFrom = h1.Scan{}, 0
	c.served++
	l.begin(c, b[:n])
	return n
}

// refuse answers a head that is none, and ends the connection: nobody knows where
// the next message begins.
func (c *client) refuse(head []byte, err error) {
	why := h1.ReasonOf(err)
	status := why.Status()
	if c.l.e.o.HTTP2 && !speaksHTTP1(head) {
		status = 0
	} else {
		c.answer(status)
	}
	c.refused(exchange.HTTP11, status, why.String())
	c.finishAndClose()
}

// speaksHTTP1 tells whether a first line has to do with that version. Who begins with
// another, where HTTP/2 is served too, would take our answer for frames of it (RFC
// 9113, 3.4).
func speaksHTTP1(head []byte) bool {
	line, _, _ := bytes.Cut(head, crlf[1:])
	return bytes.Contains(bytes.ToUpper(line), []byte("HTTP/"))
}
