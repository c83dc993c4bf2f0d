package loop

import (
	"syscall"

	"github.com/unilb/unilb/impl/engine/h1"
	"github.com/unilb/unilb/impl/engine/h2"
	"github.com/unilb/unilb/impl/exchange"
)

// A branch is the back of an exchange whose target speaks HTTP/2: a stream, or the wait
// for one.
type branch struct {
	t        *trunk
	s        *h2.Stream // nil: not begun yet, or over
	run      *run       // nil: over
	at       int        // place in t.branches
	begun    bool       // it has had its stream
	reused   bool       // of a connection that has carried others to their end
	queued   bool       // in t.held
	timed    bool       // in t.unsent
	mark     int64      // what the socket had written before it
	since    int64      // when it was begun
	deadline int64      // 0: none

	// Of the request's body, when the target does not take it.
	asked  bool // all of the request was given to the connection
	out    []byte
	ending bool // there is no more but trailers

	// Of the answer, when the client does not take it.
	headed   bool // its head was passed on
	interims int  // answers of 1xx
	in       []byte
	inEnd    bool // there is no more
	trailers exchange.Fields
}

var _ back = (*branch)(nil)

const branchesKept = 1024

func (l *loop) newBranch() *branch {
	if n := len(l.branches); n > 0 {
		b := l.branches[n-1]
		l.branches = l.branches[:n-1]
		return b
	}
	return &branch{}
}

// free gives the branch back when nobody holds it any more.
func (b *branch) free() {
	if b.t == nil || b.run != nil || b.queued || b.timed {
		return
	}
	l, trailers := b.t.l, b.trailers[:0]
	*b = branch{trailers: trailers}
	if len(l.branches) < branchesKept {
		l.branches = append(l.branches, b)
	}
}

// begin sends the request: there is a slot for its stream.
func (b *branch) begin() {
	r, t := b.run, b.t
	defer r.mine().rescue()
	x := &r.x
	ask := h2.Ask{Scheme: "http", Length: h1.RequestFraming(&x.Request).Length, End: !x.Request.HasBody()}
	if t.pool.key.TLS {
		ask.Scheme = "https"
	}
	if r.trailer != "" {
		r.l.names = h1.TrailerNames(r.l.names[:0], r.trailer)
		ask.Trailer = r.l.names
	}
	b.mark, b.since, b.deadline = t.wrote, r.l.now, 0
	b.s = t.conn.Request(x, ask)
	b.s.State = b
	b.begun, b.reused, b.asked = true, t.served > 0, ask.End
	if !b.asked {
		b.body(r.kept, r.whole)
	}
	b.watch()
	if !r.whole {
		r.f.pace()
		r.f.more() // what is held may go on now
	}
}

// body sends a part of the request's body, or keeps it for later. Before the stream is
// begun the run keeps all of it.
func (b *branch) body(p []byte, last bool) {
	switch {
	case b.s == nil || b.asked:
		return
	case len(b.out) > 0:
		b.out = append(b.out, p...)
		b.ending = last
	default:
		b.send(p, last)
	}
	b.watch()
}

// send gives to the connection what it takes.
func (b *branch) send(p []byte, last bool) {
	var trailers exchange.Fields
	if last {
		trailers = b.run.f.trailers()
	}
	b.t.reserve(len(p) + framesOver)
	n := b.s.Data(p, last && len(trailers) == 0)
	b.run.l.spent += n / 2 // it is copied once more than others
	if n < len(p) {
		b.out, b.ending = append(b.out[:0:0], p[n:]...), last
		return
	}
	b.out, b.asked = nil, last
	if len(trailers) > 0 {
		b.s.End(trailers)
	}
}

// flush sends what the target did not take before.
func (b *branch) flush() {
	if len(b.out) > 0 {
		b.send(b.out, b.ending)
	}
	b.watch()
	if len(b.out) == 0 && !b.run.whole {
		b.run.f.more()
	}
}

// full is who has been given more than the target takes, so that its time to take it
// runs. And nobody wants the rest of a request whose answer is there.
func (b *branch) full() bool { return b.begun && (b.s == nil || len(b.out) > 0) }

func (b *branch) sentAny() bool { return b.begun && b.t.wrote > b.mark }

func (b *branch) more() {
	b.watch()
	if b.holds() && !b.queued {
		b.queued = true
		b.t.held = append(b.t.held, b)
		b.t.again()
	}
}

// abandon gives the stream up; the connection lives.
func (b *branch) abandon() {
	if s := b.s; s != nil {
		b.s = nil
		s.Reset(h2.Cancel)
	}
	b.leave()
}

// leave ends the branch. Its run goes on without it.
func (b *branch) leave() {
	t := b.t
	t.part(b)
	if !b.begun {
		t.unqueue(b)
	}
	if b.in != nil {
		t.l.giveBack(b.in)
	}
	b.run, b.s, b.in, b.out, b.deadline = nil, nil, nil, nil, 0
	if len(t.branches) == 0 {
		t.put = t.l.batch
	}
	if !t.busy {
		t.again()
	}
	b.free()
}

// watch sets the time within which the target must do something.
func (b *branch) watch() {
	r, t := b.run, b.t
	if r == nil || !b.begun {
		return // or the time to connect runs
	}
	plan := &r.x.Plan
	switch {
	case b.s == nil:
		b.arm(0) // all has come
	case len(b.out) > 0:
		b.arm(plan.Send)
	case t.waiting() > 0 || t.blocked:
		b.arm(plan.Send)
		if !b.timed {
			b.timed = true
			t.unsent = append(t.unsent, b)
		}
	case !b.asked && !b.headed:
		b.arm(0) // a slow client is not a slow target
	case r.f.full():
		b.arm(0) // nor is one that is slow to read
	default:
		b.arm(plan.Read)
	}
}

// late ends a try that takes too long.
func (b *branch) late() {
	t := b.t
	defer b.run.mine().rescue()
	switch {
	case !b.begun:
		if t.conn == nil {
			t.pool.drop(t) // another may come to stand sooner
		}
		b.fail(exchange.TimedOutConnect, t.pool.unreachable(syscall.ETIMEDOUT))
		return
	case len(b.out) > 0 || b.timed:
		if t.blocked {
			t.retire() // who knows whether there is anybody
		}
		b.fail(exchange.TimedOutSend, syscall.ETIMEDOUT)
	default:
		if t.heard <= b.since {
			t.retire()
		}
		b.fail(exchange.TimedOutRead, syscall.ETIMEDOUT)
	}
}
