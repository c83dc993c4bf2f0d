package loop

import (
	"github.com/unilb/unilb/impl/engine/h1"
)

// An upstream is a connection to a target. It carries one request at a time, and is
// kept in its pool between them.
type upstream struct {
	sock
	idler
	run        *run // whose request it carries; nil: in the pool
	connecting bool
	reused     bool

	asked bool  // all of the request has been queued
	mark  int64 // what the socket had written before it

	scan    h1.Scan
	framing h1.Framing
	answer  h1.Body
	inBody  bool
	chunks  bool // the request's body goes in chunks

	plainOnly bool // splicing was tried, and does not work
	leaving   bool // it is closed when what waits has been sent
	interims  int  // answers of 1xx to this request
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
	case u.asked && (r.f.full() || u.stuck()):
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
		r.f.more()
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
		b := u.receive(u.portion())
		if b == nil {
			return
		}
		u.data(b)
	}
}

// leastRead is what is read of a target at least, in bytes: a client needs no window
// for the head of an answer, nor for its end.
const leastRead = 4 << 10

// portion is how much to read at once: not more than the client takes, because the rest
// would have to be kept.
func (u *upstream) portion() int {
	if u.run == nil {
		return readSize
	}
	return min(readSize, max(leastRead, u.run.f.window()))
}

func (u *upstream) wants() bool {
	r := u.run
	switch {
	case r == nil:
		return true // to find that there is something, or the end
	case r.tunnel != nil:
		return !r.f.full()
	}
	return !r.f.full() && (!u.holds() || !u.stuck())
}

// stuck tells that a client of HTTP/1.1 takes nothing: what the kernel moves to it waits
// with the target then, or in a pipe, and does not make the front full. A stream's part is
// copied, and makes it so.
func (u *upstream) stuck() bool { return u.run.c != nil && u.run.c.blocked }

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
