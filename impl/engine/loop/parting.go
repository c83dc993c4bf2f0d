package loop

import (
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/impl/exchange"
)

// What a closing connection may still take of its client's time and bytes before it
// is closed: closing with unread input destroys the answer on its way.
const (
	lingerTime  = 5 * time.Second
	lingerBytes = 1 << 20
)

// left tells whether the client sends no more while it waits for its answer.
func (c *client) left() bool {
	if !c.ended || len(c.in) > 0 {
		return false
	}
	var n int
	var e syscall.Errno
	if c.tls == nil {
		n, e = peek(c.fd)
	} else if n, e = c.read(c.l.in); n > 0 { // only decrypted it tells
		c.hold(c.l.in[:n])
	}
	if e != 0 && e != unix.EAGAIN { // what was found is not found again
		c.l.fail(&c.sock, e)
		return false
	}
	return n == 0 && e == 0
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
