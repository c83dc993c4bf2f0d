package loop

import (
	"bytes"
	"net/netip"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/impl/certs"
	"github.com/unilb/unilb/impl/engine/h1"
	"github.com/unilb/unilb/impl/engine/h2"
	"github.com/unilb/unilb/impl/exchange"
)

// What a closing connection may still take of its client's time and bytes before it
// is closed: closing with unread input destroys the answer on its way.
const (
	lingerTime  = 5 * time.Second
	lingerBytes = 1 << 20
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
	if c.open() && c.run != nil && !c.half && !c.wants() && c.left() {
		c.readable = false
		c.halve()
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

// left tells whether the client sends no more while it waits for its answer.
func (c *client) left() bool {
	if !c.ended || len(c.in) > 0 {
		return false
	}
	if c.tls == nil {
		n, e := peek(c.fd)
		return n == 0 && e == 0
	}
	n, e := c.read(c.l.in) // only decrypted it tells
	if n > 0 {
		c.hold(c.l.in[:n])
	}
	if n < 0 && e != unix.EAGAIN {
		c.l.fail(&c.sock, e)
		return false
	}
	return n == 0
}

// halve is the end of what the client sends before it has its answer. It has gone, or
// shut down its side only: nobody can tell until something is written to it. So it is
// waited for as long as it is sent something within HalfClose.
func (c *client) halve() {
	if c.run.tunnel != nil || !c.run.whole {
		c.run.clientEnded()
		return
	}
	c.half, c.halfWrote = true, c.wrote
	c.pace()
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

// next is called when an exchange has ended: the connection goes on, or ends.
func (c *client) next(again bool) {
	l := c.l
	if !again || l.stopping || c.closing {
		c.finishAndClose()
		return
	}
	if c.ended && len(c.in) == 0 && !c.readable {
		c.finishAndClose()
		return
	}
	c.pace()
	if len(c.in) > 0 || c.readable {
		c.again()
	}
}

// pace sets the time within which the client must do something. Who calls it has
// seen it do something, or wants something else of it from now on.
func (c *client) pace() {
	l, o := c.l, &c.l.e.o
	r := c.run
	switch {
	case !c.open() || c.lingering > 0:
	case c.mux != nil && !c.closing:
		c.mux.pace()
	case c.blocked: // only what the kernel takes makes this longer
		if c.stuckAt == 0 {
			c.stuckAt = l.now
		}
		left := o.BodyTimeout - time.Duration(l.now-c.stuckAt)
		if r != nil && r.awaits() {
			left = min(left, r.slow.wait(l, true))
		}
		l.arm(&c.sock, max(1, left))
	case c.waiting() > 0:
		l.arm(&c.sock, o.BodyTimeout)
	case r != nil && r.awaits():
		l.arm(&c.sock, min(o.BodyTimeout, r.slow.wait(l, true)))
	case c.half && r != nil:
		l.arm(&c.sock, o.HalfClose)
	case r != nil:
		r.slow.wait(l, false)
		l.arm(&c.sock, 0)
	case c.headFrom != 0:
		l.arm(&c.sock, max(1, o.HeadTimeout-time.Duration(l.now-c.headFrom)))
	case c.served > 0:
		l.arm(&c.sock, o.IdleTimeout)
	}
}

// moved is called when the kernel took a part of what waits.
func (c *client) moved() {
	if c.mux != nil {
		c.mux.moved = c.l.now
	}
	c.stuckAt = c.l.now
	c.pace()
}

// finishAndClose ends the connection when what waits has been written.
func (c *client) finishAndClose() {
	c.closing = true
	if c.open() && c.waiting() == 0 && !c.blocked {
		c.sent()
		return
	}
	c.pace()
}

// sent is called when everything has been written.
func (c *client) sent() {
	c.stuckAt = 0
	if c.mux != nil && !c.closing {
		c.mux.sent()
	}
	c.pace()
	if c.run == nil && !c.closing && (len(c.in) > 0 || c.readable) {
		c.again() // its next requests have waited for this
	}
	switch {
	case c.run != nil:
		c.run.clientSent()
	case c.closing && c.lingering == 0:
		c.linger()
	}
}

// linger says that no more will come, and waits until the client has understood.
func (c *client) linger() {
	if c.ended && !c.readable {
		c.finish()
		return
	}
	if c.tls != nil && c.tls.part() {
		return // until that is sent
	}
	shutdownWrite(c.fd)
	c.drop()
	c.lingering = lingerBytes
	after := lingerTime
	if c.l.stopping {
		after = newcomers // somebody waits for the end
	}
	c.l.arm(&c.sock, after)
	c.again()
}

// eof is the end of what the client sends.
func (c *client) eof() {
	switch {
	case c.mux != nil && c.lingering == 0:
		c.mux.cut(exchange.CutClientGone)
		c.finish()
	case c.run == nil || c.lingering > 0:
		if c.waiting() > 0 {
			c.closing = true // it may still read
			return
		}
		c.finish()
	default:
		c.run.clientEnded()
	}
}

// finish closes the connection.
func (c *client) finish() {
	if !c.open() {
		return
	}
	c.leave()
	c.gone(exchange.CutClientGone)
}

// gone is called when the connection has been closed. why is for the answers of HTTP/2
// that it cuts.
func (c *client) gone(why exchange.CutReason) {
	l := c.l
	if _, ok := l.clients[c]; ok {
		delete(l.clients, c)
		if c.mux != nil {
			c.mux.cut(why)
		}
		l.e.room.Leave()
		l.calm()
	}
}

// cut closes the connection in the midst of whatever it is doing, so that the client
// knows that something is missing.
func (c *client) cut(why exchange.CutReason) {
	if c.open() {
		resetOnClose(c.fd)
		c.close()
	}
	c.lost(why)
}

func (c *client) broken(syscall.Errno) { c.lost(exchange.CutClientGone) }

// lost ends what is under way on a connection that has been closed.
func (c *client) lost(why exchange.CutReason) {
	c.gone(why)
	if r := c.run; r != nil {
		r.clientGone(why)
	}
}

func (c *client) late() {
	switch {
	case c.half && c.run != nil && c.wrote != c.halfWrote:
		c.halfWrote = c.wrote
		c.pace()
	case c.half && c.run != nil && c.waiting() == 0:
		c.run.clientEnded()
	case c.run != nil:
		c.run.clientLate()
	case c.mux != nil && !c.closing:
		c.mux.late()
	case c.waiting() > 0:
		c.cut(exchange.CutClientNotReading)
	case c.closing || c.served > 0 && c.headFrom == 0 || len(c.in) == 0:
		c.finish() // idle
	default:
		c.refused(exchange.HTTP11, 408, "head_timeout")
		c.answer(408)
		c.finishAndClose()
	}
}
