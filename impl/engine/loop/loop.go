package loop

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

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

	now   int64 // of this batch, in nanoseconds of the engine's clock
	batch uint64
	wheel wheel

	socks     []*sock // by descriptor
	listeners map[int]*accepting
	dirty     []*sock // with output to be written at the end of the batch
	again     []*sock // whose owner has something to do after the events
	clients   map[*client]struct{}
	pools     map[poolKey]*pool

	in      []byte // what was read last
	iov     [2]unix.Iovec
	buffers [][]byte
	runs    []*run
	pipes   []*pipe
	spare   []func()
	date    date
	names   exchange.Fields // scratch
	gen     uint32

	gone     chan struct{} // closed when the loop has ended
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
		e: e, lane: lane, poll: poll, mail: mail, in: make([]byte, readSize), socks: make([]*sock, 1024),
		listeners: map[int]*accepting{}, clients: map[*client]struct{}{}, pools: map[poolKey]*pool{}, gone: make(chan struct{}),
	}
	if errno := poll.add(mail.fd, unix.EPOLLIN, 0); errno != 0 {
		mail.close()
		closeFD(poll.ep)
		return nil, fmt.Errorf("watch eventfd: %w", errno)
	}
	l.now = e.clock()
	l.wheel.at = l.now / int64(tick)
	return l, nil
}

// run serves until the loop is ended.
func (l *loop) run() {
	runtime.LockOSThread()
	defer l.close()
	for !l.ended {
		events := l.poll.wait(l.wheel.next(l.now))
		l.now = l.e.clock()
		l.batch++
		if l.e.o.Slow != nil {
			l.watched(events)
			continue
		}
		l.carryOut(events)
	}
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
	for i := range events {
		l.guarded(&events[i], false)
	}
	for i := range events {
		l.guarded(&events[i], true)
	}
	l.wheel.advance(l.now, func(s *sock) { s.owner.late() })
	for i := 0; i < len(l.again); i++ { // it may grow
		s := l.again[i]
		s.queuedUp = false
		switch {
		case s.failed != 0:
			l.fail(s, s.failed)
		case s.open():
			s.owner.ready()
		}
	}
	clear(l.again)
	l.again = l.again[:0]
	for i := 0; i < len(l.dirty); i++ { // it may grow, too
		l.dirty[i].flush()
	}
	clear(l.dirty)
	l.dirty = l.dirty[:0]
	if len(l.again) > 0 { // made ready by a write: without waiting
		l.carryOut(nil)
	}
}

// guarded carries out an event. A panic ends the connection that it came from, and
// no other.
func (l *loop) guarded(ev *unix.EpollEvent, clients bool) {
	fd := int(ev.Fd)
	s := l.sock(fd, uint32(ev.Pad))
	defer func() {
		if p := recover(); p != nil {
			l.e.o.Log.Error("panic on a loop", obs.Err, fmt.Sprint(p), "stack", string(debug.Stack()))
			if s != nil && s.open() {
				l.fail(s, unix.EIO)
			}
		}
	}()
	if s == nil {
		if clients {
			l.other(fd)
		}
		return
	}
	if _, ok := s.owner.(*client); ok == clients {
		l.event(s, ev.Events)
	}
}

func (l *loop) sock(fd int, gen uint32) *sock {
	if fd >= len(l.socks) {
		return nil
	}
	s := l.socks[fd]
	if s == nil || s.gen != gen {
		return nil
	}
	return s
}

// other is an event of what is no connection.
func (l *loop) other(fd int) {
	if fd == l.mail.fd {
		l.read()
		return
	}
	if a := l.listeners[fd]; a != nil {
		a.accept()
	}
}

// read carries out what was posted.
func (l *loop) read() {
	mail := l.mail.take(l.spare)
	for i, f := range mail {
		f()
		mail[i] = nil
	}
	l.spare = mail
}

// event is an edge of a connection.
func (l *loop) event(s *sock, events uint32) {
	if events&unix.EPOLLERR != 0 {
		// What is wrong is for the next read or write to say, unless nobody reads:
		// a reset must not wait for that.
		if e := connectError(s.fd); e != 0 {
			l.fail(s, e)
			return
		}
	}
	if events&(unix.EPOLLIN|unix.EPOLLRDHUP|unix.EPOLLHUP) != 0 {
		s.readable = true
	}
	if events&(unix.EPOLLRDHUP|unix.EPOLLHUP) != 0 {
		s.ended = true
	}
	if events&unix.EPOLLOUT != 0 && s.blocked {
		s.blocked = false
		s.flush()
	}
	if s.open() && s.readable {
		s.owner.ready()
	}
}

// fail ends a socket that is broken.
func (l *loop) fail(s *sock, e syscall.Errno) {
	if !s.open() {
		return
	}
	s.close()
	s.owner.broken(e)
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

// giveBack takes a buffer that nobody uses any more. One that has grown goes to
// the collector.
func (l *loop) giveBack(b []byte) {
	if cap(b) == bufferSize && len(l.buffers) < buffersKept {
		if l.e.o.Poison {
			poison(b)
		}
		l.buffers = append(l.buffers, b[:0])
	}
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
		c.cut()
	}
	for _, p := range l.pools {
		p.close()
	}
	l.ended = true
}

func (l *loop) close() {
	for fd := range l.listeners {
		closeFD(fd)
	}
	for _, p := range l.pipes {
		closeFD(p.r)
		closeFD(p.w)
	}
	l.mail.close()
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
