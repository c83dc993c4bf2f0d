package loop

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/impl/engine/h2"
	"github.com/unilb/unilb/impl/exchange"
	"github.com/unilb/unilb/impl/obs"
)

// readSize is the size of a loop's read buffer, in bytes.
const readSize = 64 << 10

// A loop serves connections on a thread of its own.
type loop struct {
	e    *Engine
	lane int
	poll *poller
	mail *mailbox

	now   int64     // of this batch, in nanoseconds of the engine's clock
	time  time.Time // the same
	batch uint64
	wheel wheel
	due   func(*sock) // late, made once

	socks     []*sock // by descriptor
	listeners map[int]*accepting
	dirty     []*sock // with output to be written at the end of the batch
	again     []*sock // whose owner has something to do after the events
	againToo  []*sock // what again was in the round before
	clients   map[*client]struct{}
	pools     map[poolKey]*pool
	found     [founds]found // of them
	forgot    int64         // when pools were looked for last that nobody needs
	idle      idle          // connections of all pools that carry nothing

	in      []byte // what was read last
	sealed  []byte // what was read last of what is encrypted
	sealing []byte // scratch of what is encrypted and not written yet
	iov     [2]unix.Iovec
	buffers [][]byte
	large   [][]byte
	small   [][]byte
	runs    []*run
	pipes   []*pipe
	spare   []func()
	date    date
	names   exchange.Fields // scratch
	gen     uint32

	h2      *h2.Server
	streams []*stream // to be used again

	asks       *h2.Client
	branches   []*branch // to be used again
	mostTrunks int       // of a pool
	mostIdle   int       // connections of all pools that carry nothing
	mostPools  int

	shaking    int          // handshakes that compute
	shakeLater []*handshake // that wait for their turn

	gone     chan struct{} // closed when the loop has ended
	quiet    chan struct{} // closed when it is stopping and has no client left
	full     bool          // the batch is as large as one may be: more waits
	spent    int           // bytes that this batch has read
	stopping bool          // no more requests on connections that are idle
	ended    bool
}

func newLoop(e *Engine, lane int) (*loop, error) {
	poll, err := newPoller()
	if err != nil {
		return nil, err
	}
	mail, err := newMailbox()
	if err != nil {
		closeFD(poll.ep)
		return nil, err
	}
	l := &loop{
		e: e, lane: lane, poll: poll, mail: mail, in: make([]byte, readSize), sealed: make([]byte, sealedSize), socks: make([]*sock, 1024),
		listeners: map[int]*accepting{}, clients: map[*client]struct{}{}, pools: map[poolKey]*pool{}, gone: make(chan struct{}), quiet: make(chan struct{}),
	}
	if errno := poll.add(mail.fd, unix.EPOLLIN, 0); errno != 0 {
		mail.close()
		closeFD(poll.ep)
		return nil, fmt.Errorf("watch eventfd: %w", errno)
	}
	l.due = l.late
	l.idle.of = ofLoop
	l.h2 = h2.New(h2.Options{MaxHead: e.o.MaxHead, Poison: e.o.Poison})
	l.asks = h2.NewClient(h2.Options{MaxHead: maxAnswerHead, MaxStreams: streamsOut, StreamWindow: windowIn, Poison: e.o.Poison})
	l.mostTrunks, l.mostIdle, l.mostPools = maxTrunks, maxIdle, maxPools
	l.look()
	l.wheel.at = l.now / int64(tick)
	return l, nil
}

// run serves until the loop is ended.
func (l *loop) run() {
	runtime.LockOSThread()
	defer l.close()
	for !l.ended {
		events := l.poll.wait(l.wheel.next(l.now))
		l.look()
		l.batch++
		if l.e.o.Slow != nil {
			l.watched(events)
			continue
		}
		l.carryOut(events)
	}
}

// look reads the clock: once for each batch.
func (l *loop) look() {
	l.time = time.Now()
	l.now = int64(l.time.Sub(l.e.zero)) + 1
}

// slowBatch is how much of the processor's time a batch may take at most.
const slowBatch = 10 * time.Millisecond

// watched carries out a batch and says if it took too long. What other threads take
// of the processor does not count.
func (l *loop) watched(events []unix.EpollEvent) {
	begin := threadTime()
	l.carryOut(events)
	if took := threadTime() - begin; took > slowBatch {
		l.e.o.Slow(took)
	}
}

// carryOut is one batch. Targets come before clients: what a connection to a
// target has to say without being asked must be known before a request gets it.
func (l *loop) carryOut(events []unix.EpollEvent) {
	l.full, l.spent = len(events) == batchEvents, 0
	for i := range events {
		l.dispatch(&events[i], false)
	}
	for i := range events {
		l.dispatch(&events[i], true)
	}
	l.wheel.advance(l.now, l.due)
	for round := 0; len(l.again) > 0 || len(l.dirty) > 0; round++ {
		if round > 0 && l.tired() {
			l.mail.post(func() {}) // new events come first: the rest is the next batch's
			break
		}
		l.settle()
	}
	if l.e.o.Poison {
		poison(l.sealed)
		poison(l.in)
	}
}

// batchBytes is how many bytes a batch reads before others get their turn: about a
// millisecond of copying.
const batchBytes = 1 << 20

// tired tells that this batch has done enough.
func (l *loop) tired() bool { return l.spent >= batchBytes }

// settle lets those go on that are ready, and writes what came of it.
func (l *loop) settle() {
	again := l.again
	l.again = l.againToo[:0]
	for _, s := range again {
		s.queuedUp = false
		l.guard(s, (*sock).turn)
	}
	clear(again)
	l.againToo = again[:0]
	for i := 0; i < len(l.dirty); i++ { // it may grow
		l.guard(l.dirty[i], (*sock).flush)
	}
	clear(l.dirty)
	l.dirty = l.dirty[:0]
}

// turn is what again asks for.
func (s *sock) turn() {
	switch {
	case s.failed != 0:
		s.l.lastWords(s)
		s.l.fail(s, s.failed)
	case s.open():
		s.owner.ready()
	}
}

// late ends a deadline.
func (l *loop) late(s *sock) { l.guard(s, func(s *sock) { s.owner.late() }) }

// guard calls f. A panic ends the exchange that it came from, and no other.
func (l *loop) guard(s *sock, f func(*sock)) {
	defer func() {
		if p := recover(); p != nil {
			l.panicked(p)
			var r *run
			switch o := s.owner.(type) {
			case *client:
				if r = o.run; o.mux != nil && o.mux.now != nil {
					r = o.mux.now.run
				}
			case *upstream:
				r = o.run
			}
			if r != nil {
				r.collapse()
			}
			if s.open() {
				s.close()
				if c, ok := s.owner.(*client); ok {
					c.gone(exchange.CutInternal)
				}
			}
			if t, ok := s.owner.(*trunk); ok {
				t.end(errPanic)
			}
		}
	}()
	f(s)
}

var errPanic = errors.New("the gateway is at fault")

func (l *loop) panicked(p any) {
	l.e.o.Log.Error("panic on a loop", obs.Err, fmt.Sprint(p), "stack", string(debug.Stack()))
}

// attach puts a connection into the loop.
func (l *loop) attach(s *sock, fd int, o owner) syscall.Errno {
	l.gen++
	s.l, s.owner, s.fd, s.gen = l, o, fd, l.gen
	if e := l.poll.add(fd, edges, s.gen); e != 0 {
		closeFD(fd)
		s.fd = -1
		return e
	}
	if fd >= len(l.socks) {
		l.socks = append(l.socks, make([]*sock, fd+1024-len(l.socks))...)
	}
	l.socks[fd] = s
	return 0
}

// buffer returns an empty buffer of at least bufferSize.
func (l *loop) buffer() []byte {
	if n := len(l.buffers); n > 0 {
		b := l.buffers[n-1]
		l.buffers = l.buffers[:n-1]
		return b
	}
	return make([]byte, 0, bufferSize)
}

// smallBuffer returns an empty buffer of at least smallSize.
func (l *loop) smallBuffer() []byte {
	if n := len(l.small); n > 0 {
		b := l.small[n-1]
		l.small = l.small[:n-1]
		return b
	}
	return make([]byte, 0, smallSize)
}

// giveBack takes a buffer that nobody uses any more. One that has grown goes to
// the collector.
func (l *loop) giveBack(b []byte) {
	if l.e.o.Poison {
		poison(b)
	}
	switch {
	case cap(b) == bufferSize && len(l.buffers) < buffersKept:
		l.buffers = append(l.buffers, b[:0])
	case cap(b) == smallSize && len(l.small) < buffersKept:
		l.small = append(l.small, b[:0])
	case cap(b) == largeSize && len(l.large) < largeKept:
		l.large = append(l.large, b[:0])
	}
}

// largeBuffer returns an empty buffer of largeSize.
func (l *loop) largeBuffer() []byte {
	if n := len(l.large); n > 0 {
		b := l.large[n-1]
		l.large = l.large[:n-1]
		return b
	}
	return make([]byte, 0, largeSize)
}

// arm sets a socket's deadline; 0 is none.
func (l *loop) arm(s *sock, after time.Duration) {
	if after <= 0 {
		s.deadline = 0
		return
	}
	l.wheel.arm(s, l.now+int64(after))
}

// end closes everything. It runs on the loop.
func (l *loop) end() {
	for c := range l.clients {
		if c.run != nil || c.waiting() > 0 || c.mux != nil && len(c.mux.streams) > 0 {
			c.cut(exchange.CutShutdown)
		} else {
			c.finish()
		}
	}
	for _, p := range l.pools {
		p.close()
	}
	l.ended = true
}

// calm tells Shutdown when nobody is left.
func (l *loop) calm() {
	if !l.stopping || l.ended || len(l.clients) > 0 {
		return
	}
	select {
	case <-l.quiet:
	default:
		close(l.quiet)
	}
}

func (l *loop) close() {
	for _, f := range l.mail.close() { // what was brought for exchanges that have ended
		l.carry(f)
	}
	for fd := range l.listeners {
		closeFD(fd)
	}
	for _, p := range l.pipes {
		closeFD(p.r)
		closeFD(p.w)
	}
	closeFD(l.poll.ep)
	close(l.gone)
}

// poison overwrites memory that was given back, so that a test sees the use of a
// view that has ended.
func poison(b []byte) {
	b = b[:cap(b)]
	for i := range b {
		b[i] = 0xDB
	}
}
