package loop

import (
	"context"
	"time"

	"github.com/unilb/unilb/impl/engine/h1"
	"github.com/unilb/unilb/impl/exchange"
)

// A run carries exchanges, one after another.
type run struct {
	l    *loop
	x    exchange.Exchange
	poke func() // x's way to say that it goes on
	turn uint64 // tells what a goroutine brings for this exchange from what is late
	over bool   // and is never used again: somebody may still call Resume
	kept []byte // the request's body, for another try
	// coming is the body of a request of HTTP/1.1. It is not the connection's, which
	// would have to keep it while it is idle.
	coming h1.Body
	course
}

// course is how the exchange under way stands.
type course struct {
	f      front
	c      *client // that the front is; nil: a stream
	b      back    // of the try under way; nil: none
	tunnel *tunnel
	begun  int64
	rec    exchange.Record
	asked  bool // the handler knows of it, and has not been told of its end

	// The request.
	framing  h1.Framing // its views are over when the head is
	trailer  string     // names of the trailers that are announced
	whole    bool       // all of it has come
	spilled  bool       // more came than may be kept
	promised bool       // the client has been told to go on
	slow     patience

	// The answer.
	suspended  bool
	collecting bool               // the handler waits for the request's body
	noRoom     bool               // for more of it
	answering  bool               // its head has been given to the client
	chunked    bool               // towards the client
	bodyless   bool               // the client expects no body
	closeIt    bool               // the connection ends after it
	dialling   context.CancelFunc // ends the goroutine that connects; nil: there is none
	own        bool               // it comes from x.Body
	pipe       *pipe
	stale      int // kept connections that turned out to be dead
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

// start begins an exchange, whose head is still to be read.
func (l *loop) start(f front, c *client) *run {
	r := l.newRun()
	r.x.Reset(l.lane, r.poke)
	r.turn++
	r.course = course{f: f, c: c, begun: l.now}
	l.e.inflight.Add()
	return r
}

// begin starts the exchange of a request of HTTP/1.1 whose head is complete.
func (l *loop) begin(c *client, head []byte) {
	r := l.start(c, c)
	c.run = r
	x := &r.x
	own := x.Arena.CopyBytes(head) // cheaper than to copy each string that is needed longer
	if err := h1.ParseRequest(own, &x.Request, &x.Arena, &r.framing); err != nil {
		c.run = nil
		r.forget()
		c.refuse(head, err)
		return
	}
	x.Request.Scheme, x.Request.Remote, x.Request.Local, x.Request.Stable = "http", c.remote, c.local, true
	if c.said != nil {
		x.Request.Scheme, x.Request.TLS = "https", c.said
	}
	if r.framing.Length == h1.Chunked {
		r.trailer = r.framing.Trailer
	}
	r.framing.Trailer, r.framing.Upgrade = "", ""
	r.coming.Begin(r.framing.Length)
	r.whole = r.framing.Length == 0
	r.bodyless = x.Request.Method == "HEAD"
	if x.Request.Method == "CONNECT" {
		c.run = nil
		r.forget()
		c.refused(x.Request.Proto, 405, "method")
		c.answer(405)
		c.finishAndClose()
		return
	}
	r.ask()
}

// ask asks the handler what to do with the request.
func (r *run) ask() {
	r.x.Now, r.asked = r.l.time, true
	r.follow(r.l.e.o.Handler.OnRequest(&r.x))
}

// forget ends an exchange that no handler knows of.
func (r *run) forget() {
	r.l.e.inflight.Done()
	r.free()
}

// free gives the run back. Nobody may hold it any more but a late Resume.
func (r *run) free() {
	r.turn++
	r.stopDialling()
	r.l.givePipe(r.pipe)
	if r.suspended { // whose Resume is still to come, and must not reach another
		r.over = true
		r.f, r.c, r.b, r.tunnel, r.pipe = nil, nil, nil, nil, nil
		return
	}
	r.f, r.c, r.b, r.tunnel, r.pipe = nil, nil, nil, nil, nil
	if r.l.e.o.Poison {
		r.x.Arena.Poison(0xDB)
		poison(r.kept)
	}
	r.empty()
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
	r.ask()
	if r.f != nil && r.f.open() {
		r.f.more() // what is held may go on now
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
	if r.over || r.f == nil {
		return
	}
	r.over = true
	r.tellOfCollapse()
	r.stopDialling()
	f, b, p := r.f, r.b, r.pipe
	r.f, r.c, r.b, r.pipe = nil, nil, nil, nil
	if b != nil {
		b.abandon()
	}
	if p != nil { // who knows what is in it
		closeFD(p.r)
		closeFD(p.w)
	}
	f.collapse()
	r.l.e.inflight.Done()
}

// tellOfCollapse tells the handler of the end, if it was not that which failed. What it
// has of the exchange may be half done: another panic changes nothing.
func (r *run) tellOfCollapse() {
	defer func() {
		if p := recover(); p != nil {
			r.l.panicked(p)
		}
	}()
	r.rec.CutReason = exchange.CutInternal
	r.tell(true)
}

// tell tells the handler of the end, once, also if it panics at that.
func (r *run) tell(cut bool) {
	if !r.asked {
		return
	}
	r.asked = false
	r.rec.Cut = cut
	r.rec.Duration = time.Duration(r.l.now - r.begun)
	r.l.e.o.Handler.OnDone(&r.x, r.rec)
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
	case exchange.Collect:
		r.collect()
	default:
		r.abort()
	}
}

// finish ends the exchange. cut: the answer is not what its head promised.
func (r *run) finish(cut bool) {
	f, l := r.f, r.l
	if b := r.b; b != nil { // an answer that came before the whole request was sent
		r.b = nil
		b.abandon()
	}
	again := !r.closeIt && !cut && r.whole
	r.tell(cut)
	l.e.inflight.Done()
	r.free()
	f.over(again, cut)
}

// cut ends an exchange whose answer is not what its head promised.
func (r *run) cut(why exchange.CutReason) {
	r.rec.CutReason = why
	r.finish(true)
}

// abort ends the exchange and the connection without an answer.
func (r *run) abort() { r.cut(exchange.CutInternal) }

// clientSent is called when the client has taken everything.
func (r *run) clientSent() {
	switch {
	case r.tunnel != nil:
		r.tunnel.clientSent()
	case r.own && r.answering:
		r.pump()
	case r.b != nil:
		r.b.more()
	}
}
