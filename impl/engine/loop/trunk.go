package loop

import (
	"syscall"

	"github.com/unilb/unilb/impl/engine/h2"
	"github.com/unilb/unilb/impl/exchange"
)

// A trunk is a connection of HTTP/2 to a target. It carries any number of exchanges at a
// time, each by a branch, and stays in its pool as long as it takes more.
type trunk struct {
	sock
	idler
	conn       *h2.Conn // nil: the connection does not stand yet
	connecting bool     // by the kernel, and not by a goroutine
	pooled     bool     // more requests may come
	busy       bool     // ready runs, and sees to what is left afterwards
	served     int      // requests that came to their end
	heard      int64    // when the target last sent something
	why        error    // it has ended

	branches []*branch // all, those that wait included
	queue    []*branch // that wait for the connection, or for a stream
	held     []*branch // that may have something to go on with
	unsent   []*branch // whose time to be sent runs
	before   []*branch // what unsent was
}

var _ h2.Asker = (*trunk)(nil)

// Room, Take and Waiting give frames to the connection.
func (t *trunk) Room() []byte  { return t.room() }
func (t *trunk) Take(b []byte) { t.take(b) }
func (t *trunk) Waiting() int  { return t.waiting() }

// connected is called when the connection stands.
func (t *trunk) connected() {
	t.connecting, t.heard = false, t.l.now
	t.conn = t.l.asks.Conn(t, t)
	t.conn.Expect(t.pool.limit)
	t.settle()
}

// ready reads what the target has sent. It always reads: what clients do not take is
// bounded by the windows of their streams, and must not stop the others.
func (t *trunk) ready() {
	t.busy = true
	t.goOn()
	for t.open() && t.readable && t.conn != nil {
		if t.l.tired() {
			t.again()
			break
		}
		b := t.receive(readSize)
		if b == nil {
			break
		}
		t.data(b)
	}
	t.busy = false
	t.settle()
}

func (t *trunk) data(b []byte) {
	t.heard = t.l.now
	if len(t.in) > 0 {
		t.in = append(t.in, b...)
		b = t.in
	}
	n, err := t.conn.Feed(t.l.now, b)
	if err != nil {
		t.flush() // the reason
		t.end(err)
		return
	}
	t.pool.limit = t.conn.Limit()
	t.hold(b[n:])
}

// goOn lets branches go on that have waited for their clients.
func (t *trunk) goOn() {
	held := t.held
	t.held = nil
	for i, b := range held {
		held[i], b.queued = nil, false
		b.goOn()
		b.free()
	}
	if t.held == nil {
		t.held = held[:0]
	}
}

// settle is called when branches may have left, or there may be room for others.
func (t *trunk) settle() {
	switch {
	case !t.open():
		return
	case t.conn == nil:
		if !t.pooled && len(t.branches) == 0 {
			t.quit()
		}
		return
	}
	if t.pooled && t.spent() {
		t.retire()
	}
	t.pull()
	t.spread()
	if len(t.branches) > 0 || t.idle() {
		return
	}
	p := t.pool
	if !t.pooled || !p.keeps() {
		t.quit()
		return
	}
	p.in(&t.idler)
	t.l.arm(&t.sock, p.key.IdleTimeout)
}

// spread sends those elsewhere that wait for streams although another connection may be
// made: they came when it was not known yet how many the target takes by one.
func (t *trunk) spread() {
	for n := len(t.queue); n > 0 && len(t.queue) > 0 && t.pooled && len(t.pool.trunks) < t.l.mostTrunks; n-- {
		b := t.queue[len(t.queue)-1]
		r := b.run
		r.b = nil
		b.leave()
		r.again()
	}
}

// retire has the connection end after its branches. Those that wait for it go
// elsewhere.
func (t *trunk) retire() {
	t.pool.drop(t)
	for len(t.queue) > 0 {
		b := t.queue[0]
		r := b.run
		r.b = nil
		b.leave()
		r.again()
	}
	if len(t.branches) == 0 && !t.busy {
		t.again()
	}
}

// quit closes a connection without branches.
func (t *trunk) quit() {
	t.pool.drop(t)
	if t.conn != nil && t.open() {
		t.conn.GoAway()
		t.flush()
	}
	t.leave()
}

// end fails all branches because the connection has ended.
func (t *trunk) end(why error) {
	t.why = why
	t.pool.drop(t)
	t.close()
	if t.conn != nil {
		t.conn.Cut()
	}
	// Those are left whose answers have come whole. Nobody would ask for the rest again.
	for i := len(t.branches) - 1; i >= 0; i-- {
		if i < len(t.branches) && t.branches[i].holds() {
			t.branches[i].handOver()
		}
	}
	t.retire()
}

// refuse fails those that wait because the connection has not come to be.
func (t *trunk) refuse(kind exchange.FailureKind, err error) {
	t.pool.drop(t)
	t.l.wheel.remove(&t.sock)
	for len(t.queue) > 0 {
		t.queue[0].fail(kind, err)
	}
}

func (t *trunk) eof() { t.end(errEnded) }

func (t *trunk) broken(e syscall.Errno) {
	if t.connecting {
		t.refuse(exchange.FailedConnect, t.pool.unreachable(e))
		return
	}
	t.end(e)
}

// sent is called when the kernel has taken everything, moved when it has taken a part.
func (t *trunk) sent() {
	if t.conn != nil {
		t.conn.Sent()
	}
	if t.pool.queued > 0 {
		t.again() // there is room again
	}
	t.moved()
}

func (t *trunk) moved() {
	list := t.unsent
	t.unsent = t.before[:0]
	for i, b := range list {
		list[i], b.timed = nil, false
		b.watch()
		if b.run != nil && !b.timed && !b.run.whole {
			b.run.f.more() // it is under way now
		}
		b.free()
	}
	t.before = list[:0]
}

// late ends those whose time has come, or the connection when it is idle.
func (t *trunk) late() {
	if t.idle() {
		t.quit()
		return
	}
	next := int64(0)
	for i := len(t.branches) - 1; i >= 0; i-- { // those that end are replaced by others from the end
		if i < len(t.branches) && t.branches[i].overdue() {
			t.branches[i].late()
		}
	}
	for _, b := range t.branches {
		if b.deadline != 0 && (next == 0 || b.deadline < next) {
			next = b.deadline
		}
	}
	if next != 0 {
		t.l.wheel.arm(&t.sock, next)
	}
	if t.open() {
		t.again() // to settle
	}
}

// Interim, Answer, Data, Trailers, Reset and Writable pass on what a stream has to say. A
// panic ends the exchange that it came from, and not those that share the connection.

func (t *trunk) Interim(s *h2.Stream) {
	b := s.State.(*branch)
	defer b.run.mine().rescue()
	b.interim()
}

func (t *trunk) Answer(s *h2.Stream, h h2.AnswerHead) {
	b := s.State.(*branch)
	defer b.run.mine().rescue()
	b.answer(h)
}

func (t *trunk) Data(s *h2.Stream, p []byte, end bool) {
	b := s.State.(*branch)
	defer b.run.mine().rescue()
	b.data(p, end)
}

func (t *trunk) Trailers(s *h2.Stream, fields exchange.Fields) {
	b := s.State.(*branch)
	defer b.run.mine().rescue()
	b.trail(fields)
}

func (t *trunk) Reset(s *h2.Stream, e h2.Error) {
	b := s.State.(*branch)
	defer b.run.mine().rescue()
	b.lost(e)
}

func (t *trunk) Writable(s *h2.Stream) {
	b := s.State.(*branch)
	defer b.run.mine().rescue()
	b.flush()
}

// ownRun is a run as it is now: it may have ended, and be another, when it panics.
type ownRun struct {
	r    *run
	turn uint64
}

func (r *run) mine() ownRun { return ownRun{r, r.turn} }

// rescue ends the exchange of a panic, if it is under way still.
func (o ownRun) rescue() {
	if p := recover(); p != nil {
		o.r.l.panicked(p)
		if o.r.turn == o.turn {
			o.r.collapse()
		}
	}
}

// again sends the request anew, because nobody has looked at it.
func (r *run) again() {
	defer r.mine().rescue()
	r.attempt()
}
