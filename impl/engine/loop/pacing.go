package loop

import (
	"time"

	"github.com/unilb/unilb/impl/exchange"
)

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

func (c *client) late() {
	switch {
	case c.half && c.run != nil && c.wrote != c.halfWrote:
		c.halfWrote = c.wrote
		c.pace()
	case c.half && c.run != nil && c.waiting() == 0 && !c.blocked:
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
