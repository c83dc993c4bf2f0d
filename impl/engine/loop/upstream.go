package loop

import (
	"errors"
	"fmt"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/impl/engine/h1"
	"github.com/unilb/unilb/impl/exchange"
)

// maxAnswerHead bounds the head of a target's answer, in bytes.
const maxAnswerHead = 256 << 10

// maxStale bounds the kept connections that one try may find ended, one after
// another, before it counts as failed.
const maxStale = 8

// An upstream is a connection to a target. It carries one request at a time, and is
// kept in its pool between them.
type upstream struct {
	sock
	pool       *pool
	run        *run // whose request it carries; nil: in the pool
	connecting bool
	reused     bool
	put        uint64 // batch in which it came into the pool
	idleAt     int    // place in the pool

	asked bool  // all of the request has been queued
	mark  int64 // what the socket had written before it

	scan    h1.Scan
	framing h1.Framing
	answer  h1.Body
	inBody  bool
	chunks  bool // the request's body goes in chunks

	plainOnly bool         // splicing was tried, and does not work
	leaving   bool         // it is closed when what waits has been sent
	interims  int          // answers of 1xx to this request
	torn      *atomic.Bool // of TLS: the connection behind did not end well
}

// attempt sends the request to the plan's target.
func (r *run) attempt() {
	l := r.l
	if r.spilled {
		r.failed(exchange.Failure{Kind: exchange.FailedInternal, Sent: true, Err: errSpilled})
		return
	}
	p := l.pool(r.key())
	r.goAhead()
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
	if u.put != l.batch && !u.readable && !l.full && repeatable(r.x.Request.Method) {
		return true
	}
	_, e := peek(u.fd)
	return e == unix.EAGAIN
}

// ask queues the request.
func (u *upstream) ask(r *run) {
	x := &r.x
	u.run, r.u = r, u
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
		r.l.arm(&r.c.sock, r.l.e.o.BodyTimeout)
		r.c.again() // what is held may go on now
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
			u.take(h1.AppendChunkEnd(u.room(), u.run.in.Trailers()))
		}
		u.asked = true
	}
	u.watch()
}

// watch sets the time within which the target must do something.
func (u *upstream) watch() {
	r := u.run
	if r == nil || u.connecting {
		return
	}
	plan := &r.x.Plan
	switch {
	case u.waiting() > 0 || u.blocked:
		u.l.arm(&u.sock, plan.Send)
	case u.asked && (r.c.full() || r.c.blocked):
		u.l.arm(&u.sock, 0) // a slow client is not a slow target
	case u.asked || u.inBody:
		u.l.arm(&u.sock, plan.Read)
	default:
		u.l.arm(&u.sock, 0) // nor is one that is slow to send
	}
}

// moved is called when the kernel took a part of what waits.
func (u *upstream) moved() { u.watch() }

// connected is called when the connection stands.
func (u *upstream) connected() {
	u.connecting = false
	u.watch()
}

// sent is called when the kernel has taken everything.
func (u *upstream) sent() {
	r := u.run
	if r == nil {
		if u.leaving {
			u.close()
		}
		return
	}
	if r.tunnel != nil {
		r.tunnel.targetSent()
		return
	}
	u.watch()
	if !r.whole {
		r.c.again()
	}
}

// ready reads as long as the client takes what comes.
func (u *upstream) ready() {
	for u.open() && (u.readable || u.holds() || len(u.in) > 0 && u.inBody) && u.wants() {
		if u.l.tired() {
			u.again()
			return
		}
		if u.spliceable() {
			if !u.splice() {
				return
			}
			continue
		}
		l := u.l
		if len(u.in) > 0 && u.inBody || len(u.in) > 0 && u.run != nil && u.run.tunnel != nil {
			b := u.in
			rest := u.use(b)
			if !u.open() {
				return
			}
			u.hold(rest)
			if len(rest) > 0 {
				return
			}
			continue
		}
		n, e := read(u.fd, l.in)
		switch {
		case e == unix.EAGAIN:
			u.readable = false
			return
		case e == unix.EINTR:
		case e != 0:
			l.fail(&u.sock, e)
			return
		case n == 0:
			u.readable, u.ended = false, true
			u.eof()
			return
		default:
			if n < len(l.in) && !u.ended {
				u.readable = false
			}
			l.spent += n
			u.data(l.in[:n])
		}
	}
}

func (u *upstream) wants() bool {
	r := u.run
	switch {
	case r == nil:
		return true // to find that there is something, or the end
	case r.tunnel != nil:
		return !r.c.full()
	}
	return !r.c.full() && (!u.holds() || !r.c.blocked)
}

func (u *upstream) data(b []byte) {
	if u.run == nil || !u.sentAny() {
		u.discard() // nobody has asked it
		return
	}
	if len(u.in) > 0 {
		u.in = append(u.in, b...)
		b = u.in
	}
	rest := u.use(b)
	if u.open() {
		u.hold(rest)
	}
}

// sentAny tells whether the kernel took any of the request.
func (u *upstream) sentAny() bool { return u.wrote > u.mark }

// discard ends a connection on which a target speaks unasked.
func (u *upstream) discard() {
	r := u.run
	u.run = nil
	u.close()
	if u.pool != nil {
		u.pool.remove(u)
	}
	if r != nil && r.u == u { // its request has not been sent: another connection takes it
		r.u = nil
		if r.stale++; r.stale < maxStale {
			r.attempt()
			return
		}
		r.failed(exchange.Failure{Kind: exchange.BadAnswer, Replayable: !r.spilled, Err: errSurplus})
	}
}

var errSurplus = errors.New("target sent more than it was asked for")

// use takes the answer out of b and returns what has to wait.
func (u *upstream) use(b []byte) []byte {
	for u.open() && u.run != nil {
		r := u.run
		switch {
		case r.tunnel != nil:
			if len(b) > 0 {
				r.tunnel.fromTarget(b)
			}
			return nil
		case !u.inBody:
			if len(b) == 0 {
				return nil
			}
			n, ok := u.head(b)
			if !ok || n == 0 {
				return b
			}
			b = b[n:]
		case r.c.full() && len(b) > 0:
			u.watch()
			return b // and is taken up again when the client has room
		default:
			data, n, done, err := u.answer.Next(b)
			if err != nil {
				u.cut()
				return nil
			}
			b = b[n:]
			if r.x.FilterBody {
				data = r.l.e.o.Handler.OnBody(&r.x, data, done)
			}
			r.sendBody(data)
			if done {
				u.complete(len(b))
				return nil
			}
			if len(b) == 0 {
				u.watch()
				return nil
			}
		}
	}
	return nil
}

// head looks for the head of the answer; n is 0 when there is none yet. Not ok: the
// connection is not this request's any more.
func (u *upstream) head(b []byte) (n int, ok bool) {
	r := u.run
	n, err := u.scan.Head(b, maxAnswerHead, h1.Answer)
	if err == nil && n == 0 {
		u.watch()
		return 0, true
	}
	x := &r.x
	if err == nil {
		err = h1.ParseAnswer(b[:n], x.Request.Method, &x.Response, &u.framing)
	}
	u.scan = h1.Scan{}
	switch status := x.Response.Status; {
	case err != nil:
		u.failure(exchange.BadAnswer, err)
		return 0, false
	case status == 101:
		return n, u.switched(b[:n], b[n:])
	case status < 200 && u.interims == maxInterims:
		u.failure(exchange.BadAnswer, errInterims)
		return 0, false
	case status < 200:
		u.interims++
		u.interim(status)
		return n, true
	}
	if v := r.l.e.o.Handler.OnResponse(x); v != exchange.Continue {
		u.run, r.u = nil, nil
		u.close()
		r.follow(v)
		return 0, false
	}
	length := u.framing.Length
	if length == 0 && r.bodyless || x.Response.Status == 304 {
		length = u.framing.ContentLength // what the body would have
	}
	if x.FilterBody && !r.bodyless || length == h1.UntilClose || length == h1.Chunked {
		length = -1
	}
	r.l.names = h1.TrailerNames(r.l.names[:0], u.framing.Trailer)
	r.startAnswer(x.Response.Status, x.Response.Fields, length, r.l.names)
	u.inBody = true
	u.answer.Begin(u.framing.Length)
	return n, true
}

// maxInterims bounds the answers of 1xx to one request.
const maxInterims = 1000

var errInterims = fmt.Errorf("target sent more than %d answers of 1xx", maxInterims)

// interim passes a 1xx answer on. 100 is not passed: the expectation was met on our
// side of the gateway.
func (u *upstream) interim(status int) {
	r := u.run
	if status == 100 || r.x.Request.Proto == exchange.HTTP10 || r.answering {
		return
	}
	r.c.take(h1.AppendAnswer(r.c.room(), r.x.Request.Proto, status, r.x.Response.Fields, nil, h1.OutFraming{Length: h1.None}))
}

// complete ends the exchange after a whole answer. over is how many bytes came after
// it.
func (u *upstream) complete(over int) {
	r := u.run
	r.endBody(u.answer.Trailers())
	keep := over == 0 && !u.framing.Close && u.framing.Length != h1.UntilClose && u.asked && u.waiting() == 0 && !u.ended
	u.run, r.u, u.inBody = nil, nil, false
	if keep {
		u.pool.keep(u)
	} else {
		u.close()
	}
	r.finish(false)
}

// cut ends an answer that does not end as its head promised.
func (u *upstream) cut() {
	r := u.run
	u.run, r.u = nil, nil
	u.close()
	r.finish(true)
}

// eof is the end of what the target sends.
func (u *upstream) eof() {
	r := u.run
	switch {
	case r == nil:
		u.pool.remove(u)
		u.close()
	case r.tunnel != nil:
		r.tunnel.over()
	case u.torn != nil && u.torn.Load():
		u.broken(syscall.ECONNRESET)
	case u.inBody && u.framing.Length == h1.UntilClose:
		if r.x.FilterBody {
			r.sendBody(r.l.e.o.Handler.OnBody(&r.x, nil, true))
		}
		u.complete(1) // and the connection is over
	case u.inBody:
		u.cut()
	default:
		u.failure(exchange.FailedRead, errEnded)
	}
}

var errEnded = errors.New("target closed the connection")

// failure ends the try without an answer.
func (u *upstream) failure(kind exchange.FailureKind, err error) {
	r := u.run
	silent := len(u.in) == 0 && (kind == exchange.FailedRead || kind == exchange.FailedSend)
	sent := u.sentAny()
	u.run, r.u = nil, nil
	if u.open() {
		u.close()
	}
	// A kept connection that only turned out to be dead: its target was not even
	// asked, or is asked again without harm.
	if silent && u.reused && r.stale < maxStale && !r.spilled && (!sent || repeatable(r.x.Request.Method)) {
		r.stale++
		r.attempt()
		return
	}
	r.failed(exchange.Failure{Kind: kind, Sent: sent, Replayable: !r.spilled, Err: err})
}

// repeatable methods may be sent again when a kept connection ends (RFC 9110, 9.2.2).
func repeatable(method string) bool {
	switch method {
	case "GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE":
		return true
	}
	return false
}

// failed asks the handler what to do after a try without an answer.
func (r *run) failed(f exchange.Failure) {
	r.follow(r.l.e.o.Handler.OnFailure(&r.x, f))
}

func (u *upstream) broken(e syscall.Errno) {
	r := u.run
	switch {
	case r == nil:
		if u.pool != nil {
			u.pool.remove(u)
		}
	case r.tunnel != nil:
		r.tunnel.over()
	case u.connecting:
		u.failure(exchange.FailedConnect, fmt.Errorf("connect to %s: %w", r.x.Plan.Target.Pool.Address, e))
	case u.inBody:
		u.cut()
	case !u.asked || u.wrote == u.mark:
		u.failure(exchange.FailedSend, e)
	default:
		u.failure(exchange.FailedRead, e)
	}
}

func (u *upstream) late() {
	r := u.run
	switch {
	case r == nil:
		u.pool.remove(u)
		u.close()
	case r.tunnel != nil:
		r.tunnel.over()
	case u.connecting:
		u.failure(exchange.TimedOutConnect, fmt.Errorf("connect to %s: %w", r.x.Plan.Target.Pool.Address, syscall.ETIMEDOUT))
	case u.inBody:
		u.cut()
	case u.waiting() > 0:
		u.failure(exchange.TimedOutSend, syscall.ETIMEDOUT)
	default:
		u.failure(exchange.TimedOutRead, syscall.ETIMEDOUT)
	}
}

// abandon ends a try whose exchange wants no answer any more.
func (u *upstream) abandon() {
	u.run = nil
	u.close()
}
