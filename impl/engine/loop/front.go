package loop

import (
	"github.com/unilb/unilb/impl/engine/h1"
	"github.com/unilb/unilb/impl/exchange"
)

// A front is the client's side of an exchange: a connection of HTTP/1.1, or a stream of
// HTTP/2. It tells the exchange of parts of the request's body, when there is room for
// the answer again, and when the client has left.
type front interface {
	// interim passes on the target's answer of 1xx.
	interim(r *run, status int)
	// head begins the answer. length is below zero when it is not known; r.bodyless:
	// no body follows.
	head(r *run, status int, fields exchange.Fields, length int64, trailer exchange.Fields)
	// body sends a part of the answer's body; last: nothing follows, not even trailers.
	// end is called after the last in any case.
	body(r *run, b []byte, last bool)
	end(r *run, trailers exchange.Fields)
	// answer sends a whole answer that no handler made.
	answer(status int)
	// goAhead tells the client to send its body.
	goAhead()
	// full tells whether who produces for the client should pause.
	full() bool
	// window is how much of an answer's body the client takes now, in bytes.
	window() int
	open() bool
	// more has what the client sent, and was held, come again.
	more()
	// pace sets the time anew within which the client must do something.
	pace()
	// trailers are those of the request's body.
	trailers() exchange.Fields
	// over is called when the exchange has ended. cut: the answer is not what its head
	// promised; again: the next request may follow.
	over(again, cut bool)
	// collapse ends everything of which nobody knows in what state it is.
	collapse()
}

func (c *client) interim(r *run, status int) {
	if r.x.Request.Proto == exchange.HTTP10 || c.full() {
		return
	}
	c.take(h1.AppendAnswer(c.room(), r.x.Request.Proto, status, r.x.Response.Fields, nil, h1.OutFraming{Length: h1.None}))
}

func (c *client) head(r *run, status int, fields exchange.Fields, length int64, trailer exchange.Fields) {
	l, x := r.l, &r.x
	old := x.Request.Proto == exchange.HTTP10
	r.closeIt = r.framing.Close || l.e.closing() || !r.whole
	out := h1.OutFraming{Length: length, Date: l.dateText(), Trailer: trailer}
	switch {
	case status < 200 || status == 204:
		out.Length = h1.None
	case length < 0 && r.bodyless:
		out.Length = h1.None
	case length < 0 && old:
		out.Length, r.closeIt = h1.None, true
	case length < 0:
		out.Length, r.chunked = h1.Chunked, true
	}
	out.Close = r.closeIt
	c.take(h1.AppendAnswer(c.room(), x.Request.Proto, status, fields, x.ResponseEdits, out))
}

func (c *client) body(r *run, b []byte, _ bool) {
	if r.chunked {
		c.take(h1.AppendChunkHead(c.room(), len(b)))
		c.send(b)
		c.send(crlf)
		return
	}
	c.send(b)
}

var crlf = []byte("\r\n")

func (c *client) end(r *run, trailers exchange.Fields) {
	if r.chunked && !r.bodyless {
		c.take(h1.AppendChunkEnd(c.room(), trailers))
	}
}

func (c *client) answer(status int) { c.take(c.l.appendOwn(c.room(), status)) }

func (c *client) goAhead() { c.send(continueLine) }

var continueLine = []byte("HTTP/1.1 100 Continue\r\n\r\n")

func (c *client) window() int { return readSize }

func (c *client) more() { c.again() }

func (c *client) trailers() exchange.Fields { return c.run.coming.Trailers() }

func (c *client) over(again, cut bool) {
	c.run = nil
	switch {
	case !c.open():
	case cut:
		c.flush() // what is there is right, as far as it goes
		if c.open() {
			resetOnClose(c.fd)
			c.close() // without a word of its end by TLS
		}
		c.gone(exchange.CutInternal) // of HTTP/1.1: there are no others
	default:
		c.next(again)
	}
}

func (c *client) collapse() {
	c.run = nil
	if c.open() {
		resetOnClose(c.fd)
		c.close()
	}
	c.gone(exchange.CutInternal)
}
