package loop

import (
	"errors"
	"io"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/impl/engine/h1"
	"github.com/unilb/unilb/impl/exchange"
)

// A run is one exchange under way. Runs are reused.
type run struct {
	l      *loop
	x      exchange.Exchange
	poke   func() // x's way to say that it goes on
	turn   uint64 // tells what a goroutine brings for this exchange from what is late
	over   bool   // and is never used again: somebody may still call Resume
	c      *client
	u      *upstream // of the try under way
	tunnel *tunnel
	begun  int64
	rec    exchange.Record

	// The request.
	framing  h1.Framing // its views are over when the head is
	trailer  string     // names of the trailers that are announced
	in       h1.Body
	whole    bool   // all of it has come
	kept     []byte // its body, for another try
	spilled  bool   // more came than may be kept
	promised bool   // the client has been told to go on

	// The answer.
	suspended bool
	answering bool // its head has been given to the client
	chunked   bool // towards the client
	bodyless  bool // the client expects no body
	closeIt   bool // the connection ends after it
	dialling  bool // a goroutine connects
	own       bool // it comes from x.Body
	pipe      *pipe
	stale     int // kept connections that turned out to be dead
}

const runsKept = 1024

func (l *loop) newRun() *run {
	if n := len(l.runs); n > 0 {
		r := l.runs[n-1]
		l.runs = l.runs[:n-1]
		return r
	}
	r := &run{l: l}
	r.poke = func() { l.mail.post(r.resume) }
	return r
}

// begin starts the exchange of a request whose head is complete.
func (l *loop) begin(c *client, head []byte) {
	r := l.newRun()
	x := &r.x
	x.Reset(l.lane, r.poke)
	*r = run{l: l, x: r.x, poke: r.poke, turn: r.turn + 1, c: c, begun: l.now, kept: r.kept[:0], in: r.in}
	c.run = r
	l.e.inflight.add()
	if err := h1.ParseRequest(head, &x.Request, &x.Arena, &r.framing); err != nil {
		r.forget()
		c.refuse(err)
		return
	}
	x.Request.Scheme, x.Request.Remote, x.Request.Local = "http", c.remote, c.local
	if r.framing.Length == h1.Chunked {
		r.trailer = x.Arena.Copy(r.framing.Trailer)
	}
	r.framing.Trailer, r.framing.Upgrade = "", ""
	r.in.Begin(r.framing.Length)
	r.whole = r.framing.Length == 0
	r.bodyless = x.Request.Method == "HEAD"
	if x.Request.Method == "CONNECT" {
		r.forget()
		c.answer(405)
		c.finishAndClose()
		return
	}
	r.follow(l.e.o.Handler.OnRequest(x))
}

// forget ends an exchange that no handler knows of.
func (r *run) forget() {
	r.c.run = nil
	r.l.e.inflight.done()
	r.free()
}

// free gives the run back. Nobody may hold it any more but a late Resume.
func (r *run) free() {
	r.turn++
	r.l.givePipe(r.pipe)
	if r.suspended { // whose Resume is still to come, and must not reach another
		r.over = true
		r.c, r.u, r.tunnel, r.pipe = nil, nil, nil, nil
		return
	}
	r.c, r.u, r.tunnel, r.pipe = nil, nil, nil, nil
	if r.l.e.o.Poison {
		r.x.Arena.Poison(0xDB)
		poison(r.kept)
	}
	if cap(r.kept) > exchange.DefaultReplayLimit {
		r.kept = nil
	}
	if len(r.l.runs) < runsKept {
		r.l.runs = append(r.l.runs, r)
	}
}

// resume ends a Suspend.
func (r *run) resume() {
	if r.over || !r.suspended {
		return // the exchange has ended, or it was told twice
	}
	defer r.rescue()
	r.suspended = false
	r.follow(r.l.e.o.Handler.OnRequest(&r.x))
	if r.c != nil && r.c.open() {
		r.c.again() // what is held may go on now
	}
}

// rescue ends the exchange of a panic that came from a message.
func (r *run) rescue() {
	if p := recover(); p != nil {
		r.l.panicked(p)
		r.collapse()
	}
}

// collapse ends an exchange whose handler, or engine, has failed. The run is not used
// again: nobody knows in what state it is.
func (r *run) collapse() {
	if r.over || r.c == nil {
		return
	}
	r.over = true
	c, u := r.c, r.u
	r.c, r.u = nil, nil
	if u != nil {
		u.run = nil
		u.close()
	}
	c.run = nil
	if c.open() {
		resetOnClose(c.fd)
		c.close()
	}
	c.gone()
	r.l.e.inflight.done()
}

// follow carries out what the handler wants.
func (r *run) follow(v exchange.Verdict) {
	switch v {
	case exchange.Suspend:
		r.suspended = true
	case exchange.Forward:
		r.attempt()
	case exchange.Respond:
		r.respond()
	default:
		r.abort()
	}
}

// takes tells whether more of the request's body is wanted now.
func (r *run) takes() bool {
	if r.whole || r.tunnel != nil {
		return false
	}
	if r.answering && r.u == nil {
		return false // nobody waits for the rest
	}
	if !r.underWay() {
		return len(r.kept) < r.x.ReplayLimit // perhaps another target is to get it
	}
	return !r.u.full()
}

// underWay tells that a target has taken some of the request. Before that nothing of
// the body is given up: every other target must be able to get all of it.
func (r *run) underWay() bool { return r.u != nil && r.u.sentAny() }

// body takes a part of the request's body from b and returns how much; below zero:
// the connection is not read any more.
func (r *run) body(b []byte) int {
	data, n, done, err := r.in.Next(b)
	if err != nil {
		r.clientBad(err)
		return -1
	}
	r.whole = done
	r.rec.Received += int64(len(data))
	if most := r.l.e.o.MaxBody; most > 0 && r.rec.Received > most {
		r.framing.Close = true // the rest of it, and what follows, is not read
		r.clientFailed(exchange.ClientTooBig, errTooBig)
		return -1
	}
	r.keepBody(data)
	if u := r.u; u != nil {
		u.body(data, done)
	}
	if r.c != nil {
		r.c.watch()
	}
	return n
}

var errTooBig = errors.New("the body of the request exceeds the limit")

// keepBody keeps what another try would have to send again.
func (r *run) keepBody(data []byte) {
	if r.spilled || len(data) == 0 {
		return
	}
	if len(r.kept)+len(data) > r.x.ReplayLimit && r.underWay() {
		r.spilled, r.kept = true, r.kept[:0]
		return
	}
	r.kept = append(r.kept, data...)
}

// goAhead tells a client that waits for it to send its body.
func (r *run) goAhead() {
	if r.framing.Expect && !r.promised && !r.whole && r.rec.Received == 0 {
		r.promised = true
		r.c.send(continueLine)
	}
}

var continueLine = []byte("HTTP/1.1 100 Continue\r\n\r\n")

// respond sends an answer that is ours.
func (r *run) respond() {
	x := &r.x
	a := &x.Answer
	length := a.BodyLength
	if x.Body == nil {
		length = 0
	}
	r.startAnswer(a.Status, a.Fields, length, nil)
	r.own = true
	r.pump()
}

// pump sends of our own body what the client takes.
func (r *run) pump() {
	x := &r.x
	if x.Body == nil || r.bodyless {
		r.finish(false)
		return
	}
	for !r.c.full() {
		chunk, err := x.Body.Next()
		if errors.Is(err, io.EOF) {
			r.endBody(nil)
			r.finish(false)
			return
		}
		if err != nil {
			r.finish(true)
			return
		}
		r.sendBody(chunk)
		if !r.c.open() {
			r.finish(true)
			return
		}
	}
	r.x.Own() // the log needs the request after its batch
}

// startAnswer writes the head of an answer. length is below zero when it is not
// known.
func (r *run) startAnswer(status int, fields exchange.Fields, length int64, trailer exchange.Fields) {
	l, x := r.l, &r.x
	old := x.Request.Proto == exchange.HTTP10
	r.answering = true
	r.closeIt = r.framing.Close || l.e.closing() || !r.whole
	out := h1.OutFraming{Length: length, Date: l.dateText(), Trailer: trailer}
	switch {
	case status < 200 || status == 204:
		out.Length, r.bodyless = h1.None, true
	case status == 304:
		r.bodyless = true
		if length < 0 {
			out.Length = h1.None
		}
	case length < 0 && r.bodyless:
		out.Length = h1.None
	case length < 0 && old:
		out.Length, r.closeIt = h1.None, true
	case length < 0:
		out.Length, r.chunked = h1.Chunked, true
	}
	out.Close = r.closeIt
	r.c.take(h1.AppendAnswer(r.c.room(), x.Request.Proto, status, fields, x.ResponseEdits, out))
	r.rec.Status = status
}

// sendBody sends a part of the answer's body.
func (r *run) sendBody(b []byte) {
	if len(b) == 0 || r.bodyless {
		return
	}
	r.rec.Sent += int64(len(b))
	if r.chunked {
		r.c.take(h1.AppendChunkHead(r.c.room(), len(b)))
		r.c.send(b)
		r.c.send(crlf)
		return
	}
	r.c.send(b)
}

var crlf = []byte("\r\n")

// endBody ends a body in chunks.
func (r *run) endBody(trailers exchange.Fields) {
	if r.chunked && !r.bodyless {
		r.c.take(h1.AppendChunkEnd(r.c.room(), trailers))
	}
}

// finish ends the exchange. cut: the answer is not what its head promised.
func (r *run) finish(cut bool) {
	c, l := r.c, r.l
	r.rec.Cut = cut
	r.rec.Duration = time.Duration(l.e.clock() - r.begun)
	if u := r.u; u != nil { // an answer that came before the whole request was sent
		r.u = nil
		u.abandon()
	}
	again := !r.closeIt && !cut && r.whole
	l.e.o.Handler.OnDone(&r.x, r.rec)
	l.e.inflight.done()
	r.free()
	if !c.open() {
		c.run = nil
		return
	}
	if cut {
		c.run = nil
		c.flush() // what is there is right, as far as it goes
		if c.open() {
			resetOnClose(c.fd)
		}
		c.end()
		return
	}
	c.over(again)
}

// abort ends the exchange and the connection without an answer.
func (r *run) abort() { r.finish(true) }

// clientSent is called when the client has taken everything.
func (r *run) clientSent() {
	switch {
	case r.tunnel != nil:
		r.tunnel.clientSent()
	case r.own && r.answering:
		r.pump()
	case r.u != nil:
		r.u.watch()
		r.u.again()
	}
}

// clientEnded: the client sends no more.
func (r *run) clientEnded() {
	if r.tunnel != nil {
		r.tunnel.over()
		return
	}
	r.clientFailed(exchange.ClientGone, io.ErrUnexpectedEOF)
}

// clientGone: nobody waits for the answer any more.
func (r *run) clientGone() {
	if r.tunnel != nil {
		r.tunnel.over()
		return
	}
	r.clientFailed(exchange.ClientGone, unix.ECONNRESET)
}

// clientBad: the body is none.
func (r *run) clientBad(err error) {
	why := h1.ReasonOf(err)
	r.l.e.refused.count(why.String())
	if !r.answering && r.c.open() {
		u := r.u
		r.u = nil
		if u != nil {
			u.abandon()
		}
		r.closeIt, r.rec.Status, r.answering = true, why.Status(), true
		r.c.answer(why.Status())
		r.finish(false)
		return
	}
	r.clientFailed(exchange.ClientGone, err)
}

// clientFailed ends the try under way, if any, because of the client.
func (r *run) clientFailed(kind exchange.FailureKind, err error) {
	u := r.u
	if u != nil {
		r.u = nil
		u.abandon()
	}
	if r.answering {
		r.finish(true)
		return
	}
	if u == nil && kind == exchange.ClientGone {
		r.finish(true)
		return
	}
	f := exchange.Failure{Kind: kind, Sent: u != nil && u.sentAny(), Err: err}
	v := r.l.e.o.Handler.OnFailure(&r.x, f)
	if v == exchange.Forward { // to whom the client never sends the rest
		v = exchange.Abort
	}
	r.follow(v)
}

// clientLate: the client does not send its body, or does not read its answer.
func (r *run) clientLate() {
	if r.tunnel != nil {
		r.tunnel.over()
		return
	}
	if r.answering {
		r.clientFailed(exchange.ClientGone, syscall.ETIMEDOUT)
		return
	}
	if !r.whole {
		r.clientFailed(exchange.ClientGone, syscall.ETIMEDOUT)
	}
}
