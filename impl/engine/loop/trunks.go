package loop

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/impl/exchange"
)

const (
	// streamsOut is how many requests a connection of HTTP/2 carries at most, if the
	// target lets it.
	streamsOut = 128
	// windowIn is how many bytes of an answer may have come that its client has not
	// taken.
	windowIn = 128 << 10
	// newStreams is how many may wait for a connection that is being made, as long as
	// nothing else is known of the target.
	newStreams = 100
	// maxTrunks bounds the connections of a loop to one target, and maxWaiting the
	// requests that wait for a stream when all of them are full. They wait for the time
	// to connect at most.
	maxTrunks  = 256
	maxWaiting = 1024
	// maxGivenUp is after how many requests that were given up, by whichever clients, a
	// connection takes no more: for a target they are one client, and it may take them
	// for an attack (rapid reset) and end the requests of all. With those that are under
	// way then, fewer are given up than the strictest of the targets that count them
	// allow: Netty ends a connection at 200 in 30 s, Envoy at 250, nghttp2 (Node.js) at
	// 1000. Go's server ends it when five times as many as it takes at once are being
	// worked at, given up or not: see spent.
	maxGivenUp = 64
)

var errCrowded = errors.New("too many requests wait for the target")

// multiplex sends the request over a connection that carries others.
func (p *pool) multiplex(r *run) {
	t, room, err := p.trunkFor(r)
	if err != nil {
		r.failed(exchange.Failure{Kind: exchange.FailedConnect, Replayable: !r.spilled, Err: err})
		return
	}
	b := p.l.newBranch()
	b.run, r.b = r, b
	t.bear(b)
	if room && t.conn != nil {
		b.begin()
		return
	}
	t.queue = append(t.queue, b)
	p.queued++
	b.arm(r.x.Plan.Connect)
}

// bear takes a branch.
func (t *trunk) bear(b *branch) {
	t.pool.out(&t.idler)
	b.t, b.at = t, len(t.branches)
	t.branches = append(t.branches, b)
}

// part lets one go.
func (t *trunk) part(b *branch) {
	last := len(t.branches) - 1
	t.branches[b.at] = t.branches[last]
	t.branches[b.at].at = b.at
	t.branches[last] = nil
	t.branches = t.branches[:last]
}

// trunkFor returns a connection that has room; or makes one; or returns the one for which
// the fewest wait. One that is over is left to its own turn, in which it leaves the pool.
func (p *pool) trunkFor(r *run) (t *trunk, room bool, err error) {
	live, least := 0, (*trunk)(nil)
	for i, t := range p.trunks {
		switch {
		case t.over():
			continue
		case t.free() > 0 && t.usable(r):
			p.trunks[0], p.trunks[i] = t, p.trunks[0] // the next is found at once
			return t, true, nil
		}
		if live++; least == nil || len(t.queue) < len(least.queue) {
			least = t
		}
	}
	switch {
	case live < p.l.mostTrunks:
		t, err = p.grow(r)
		return t, false, err
	case p.queued >= maxWaiting:
		return nil, false, errCrowded
	}
	if least.free() > 0 { // but it has something to say first
		least.again()
	}
	return least, false, nil
}

// over tells that a connection is known to take no more requests.
func (t *trunk) over() bool {
	return t.failed != 0 || t.ended || t.conn != nil && t.spent()
}

// spent tells that a connection that stands takes no more requests and goes when those
// that it has are done.
func (t *trunk) spent() bool {
	return t.conn.Spent() || t.conn.GivenUp() > min(maxGivenUp, 2*t.conn.Limit())
}

// free is how many more requests have room.
func (t *trunk) free() int {
	if t.conn == nil {
		return min(newStreams, max(1, t.pool.limit)) - len(t.queue)
	}
	return t.slots() - len(t.queue)
}

// slots is how many streams may be begun. A target that reads nothing gets no more
// requests: they would only wait in the output, also those that are given up.
func (t *trunk) slots() int {
	if t.full() || t.spent() {
		return 0
	}
	return t.conn.Slots()
}

// usable tells whether a connection without requests is as it was left, as that of
// HTTP/1.1 is asked. In the midst of requests a target that leaves says so by GOAWAY.
func (t *trunk) usable(r *run) bool {
	l := t.l
	switch {
	case t.conn == nil || len(t.branches) > 0:
		return true
	case t.put != l.batch && !t.readable && !l.full && exchange.Idempotent(r.x.Request.Method):
		return true
	case t.tls != nil && t.tls.mem.records.partial():
		return false
	}
	if _, e := peek(t.fd); e == unix.EAGAIN {
		return true
	}
	t.readable = true
	if t.tls != nil {
		t.tls.dry = false
	}
	return false
}

// grow makes a connection.
func (p *pool) grow(r *run) (*trunk, error) {
	t := &trunk{idler: idler{pool: p}, pooled: true}
	t.who, t.l, t.owner, t.fd = t, p.l, t, -1
	switch {
	case p.key.TLS:
		p.plant(t, r.x.Plan.Connect, dialTLS)
	case !p.addr.IsValid():
		p.plant(t, r.x.Plan.Connect, dialName)
	default:
		fd, e := connectTo(p.addr)
		if e != 0 && e != unix.EINPROGRESS {
			return nil, p.unreachable(e)
		}
		if e := p.l.attach(&t.sock, fd, t); e != 0 {
			return nil, fmt.Errorf("watch a connection: %w", e)
		}
		t.connecting, t.blocked = true, true // until it says that it is writable
	}
	p.trunks = append(p.trunks, t)
	return t, nil
}

func (p *pool) unreachable(e syscall.Errno) error {
	return fmt.Errorf("connect to %s: %w", p.key.Address, e)
}

// plant has a goroutine connect.
func (p *pool) plant(t *trunk, limit time.Duration, f dialler) {
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		defer cancel()
		c, err := p.dial(ctx, f)
		late := errors.Is(ctx.Err(), context.DeadlineExceeded)
		if !p.l.mail.post(func() { t.dialled(c, err, late) }) && err == nil {
			closeFD(c.fd)
		}
	}()
}

func (t *trunk) dialled(c line, err error, late bool) {
	if err != nil {
		kind := exchange.FailedConnect
		if late {
			kind = exchange.TimedOutConnect
		}
		t.refuse(kind, err)
		return
	}
	if t.l.ended {
		closeFD(c.fd)
		return
	}
	if t.tls = c.tls; t.tls != nil {
		t.tls.s = &t.sock
	}
	if e := t.l.attach(&t.sock, c.fd, t); e != 0 {
		t.refuse(exchange.FailedInternal, fmt.Errorf("watch a connection: %w", e))
		return
	}
	t.readable = t.tls != nil // the handshake may have read what follows it
	t.connected()
	t.again()
}

// pull begins branches that wait, also those that wait for others of the pool. Not on a
// connection that is over: they go elsewhere when it ends. But one that has served nobody is
// asked all the same, or they would be sent from one to the next for ever.
func (t *trunk) pull() {
	p := t.pool
	if t.over() && t.served > 0 {
		return
	}
	for t.conn != nil && t.slots() > 0 && p.queued > 0 {
		from := t
		if len(t.queue) == 0 && t.pooled {
			from = slices.MaxFunc(p.trunks, func(a, b *trunk) int { return len(a.queue) - len(b.queue) })
		}
		if len(from.queue) == 0 {
			return
		}
		b := from.queue[0]
		from.unqueue(b)
		if from != t {
			from.part(b)
			t.bear(b)
		}
		b.begin()
	}
}

func (t *trunk) unqueue(b *branch) {
	i := slices.Index(t.queue, b)
	t.queue = slices.Delete(t.queue, i, i+1)
	t.pool.queued--
}

// drop takes a connection out of the pool. Idempotent.
func (p *pool) drop(t *trunk) {
	if !t.pooled {
		return
	}
	t.pooled = false
	p.out(&t.idler)
	i := slices.Index(p.trunks, t)
	p.trunks = slices.Delete(p.trunks, i, i+1)
}

// arm sets the deadline of a branch. That of the connection is never behind it.
func (b *branch) arm(after time.Duration) {
	b.deadline = 0
	if after <= 0 {
		return
	}
	b.deadline = b.t.l.now + int64(after)
	if d := b.t.deadline; d == 0 || b.deadline < d {
		b.t.l.wheel.arm(&b.t.sock, b.deadline)
	}
}

func (b *branch) overdue() bool { return b.deadline != 0 && b.deadline <= b.t.l.now }
