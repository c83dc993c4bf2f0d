package loop

import (
	"errors"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/impl/engine/h1"
	"github.com/unilb/unilb/impl/exchange"
)

// maxStale bounds the kept connections that one try may find ended, one after
// another, before it counts as failed.
const maxStale = 8

// attempt sends the request to the plan's target.
func (r *run) attempt() {
	l := r.l
	if r.spilled {
		r.failed(exchange.Failure{Kind: exchange.FailedInternal, Sent: true, Err: errSpilled})
		return
	}
	p := l.poolOf(r)
	r.goAhead()
	if p.key.HTTP2 {
		p.multiplex(r)
		return
	}
	for {
		u := p.take()
		if u == nil {
			break
		}
		if u.usable(l, r) {
			u.reused = true
			u.ask(r)
			return
		}
		u.close()
	}
	p.connect(r)
}

// errSpilled is for a handler that wants to try again what cannot be sent again.
var errSpilled = errors.New("the beginning of the request's body is gone")

// usable tells whether a kept connection is as it was left. What came in the batch
// in which it was left has had no event of its own yet, nor has what did not fit into
// this batch; and a request that must not be sent twice is not risked.
func (u *upstream) usable(l *loop, r *run) bool {
	if !u.open() || u.failed != 0 || u.ended || len(u.in) > 0 {
		return false
	}
	if u.put != l.batch && !u.readable && !l.full && exchange.Idempotent(r.x.Request.Method) {
		return true
	}
	if u.tls != nil && u.tls.mem.records.partial() {
		return false
	}
	_, e := peek(u.fd)
	return e == unix.EAGAIN
}

// ask queues the request.
func (u *upstream) ask(r *run) {
	x := &r.x
	u.run, r.b = r, u
	u.asked, u.inBody, u.mark, u.interims = false, false, u.wrote, 0
	u.scan = h1.Scan{}
	out := h1.RequestFraming(&x.Request)
	u.chunks = out.Length == h1.Chunked
	if r.trailer != "" {
		r.l.names = h1.TrailerNames(r.l.names[:0], r.trailer)
		out.Trailer = r.l.names
	}
	u.take(h1.AppendRequest(u.room(), x, out))
	if x.Request.HasBody() {
		u.body(r.kept, r.whole)
	} else {
		u.asked = true
	}
	u.watch()
	if !r.whole {
		r.f.pace()
		r.f.more() // what is held may go on now
	}
}

// body queues a part of the request's body; last: there is no more.
func (u *upstream) body(data []byte, last bool) {
	if len(data) > 0 {
		if u.chunks {
			u.take(h1.AppendChunkHead(u.room(), len(data)))
		}
		u.send(data)
		if u.chunks {
			u.send(crlf)
		}
	}
	if last {
		if u.chunks {
			u.take(h1.AppendChunkEnd(u.room(), u.run.f.trailers()))
		}
		u.asked = true
	}
	u.watch()
}

// sentAny tells whether the kernel took any of the request.
func (u *upstream) sentAny() bool { return u.wrote > u.mark }

// discard ends a connection on which a target speaks unasked.
func (u *upstream) discard() {
	r := u.run
	u.run = nil
	u.close()
	if u.pool != nil {
		u.pool.out(&u.idler)
	}
	if r != nil && r.b == u { // its request has not been sent: another connection takes it
		r.b = nil
		if r.stale++; r.stale < maxStale {
			r.attempt()
			return
		}
		r.failed(exchange.Failure{Kind: exchange.BadAnswer, Replayable: !r.spilled, Err: errSurplus})
	}
}

var errSurplus = errors.New("target sent more than it was asked for")
