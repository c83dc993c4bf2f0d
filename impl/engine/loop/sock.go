package loop

import (
	"syscall"

	"golang.org/x/sys/unix"
)

const (
	// bigWrite is from when on a message is written at once; smaller ones wait for
	// the end of the batch, together with others of their socket.
	bigWrite = 4 << 10
	// highWater is how much may wait to be sent before reading for it stops.
	highWater = 256 << 10
	// bufferSize of what sockets keep when they cannot go on at once.
	bufferSize = 16 << 10
	// smallSize of what they keep of little: the beginning of a head, from a client that
	// sends no more of it, is not to cost more.
	smallSize = 2 << 10
	// buffersKept by a loop for sockets to come.
	buffersKept = 256
	// largeSize is that of buffers for output that is known to be large, largeKept how
	// many of them a loop keeps.
	largeSize = highWater + 80<<10
	largeKept = 16
)

// owner is whose socket it is: a client's connection or one to a target.
type owner interface {
	// ready is called when there may be something to read, or room was made.
	ready()
	// eof is called when the peer sends no more.
	eof()
	// sent is called when everything that waited has been written, moved when the
	// kernel took a part of it.
	sent()
	moved()
	// broken is called once when the socket cannot be used any more.
	broken(syscall.Errno)
	// late is called when the deadline has passed.
	late()
}

// A sock is a connection in the loop's epoll. What it was given to write and what
// its owner has not used of what was read lie here; an idle one has no buffer.
type sock struct {
	l     *loop
	owner owner
	fd    int
	gen   uint32
	tls   *session // nil: none

	failed   syscall.Errno // a write found it broken: it ends with the batch
	events   uint32        // of the edge that is carried out
	readable bool          // the kernel may have more for us
	blocked  bool          // the kernel took less than it was given: an edge will come
	ended    bool          // the peer sends no more
	dirty    bool          // in l.dirty
	queuedUp bool          // in l.again

	in    []byte // read, and not used yet
	out   []byte // to be written, from outAt
	outAt int
	wrote int64 // bytes that the kernel took, ever

	// For the wheel.
	deadline   int64
	queued     int64 // tick of its slot; 0: in none
	prev, next *sock
}

func (s *sock) open() bool { return s.fd >= 0 }

// waiting is how many bytes are to be written.
func (s *sock) waiting() int {
	n := len(s.out) - s.outAt
	if s.tls != nil {
		n += s.tls.waiting()
	}
	return n
}

// full tells that whoever produces for this socket should pause.
func (s *sock) full() bool { return s.waiting() >= highWater }

// send writes b now or at the end of the batch, or keeps what the kernel does not
// take. b may be reused when send has returned.
func (s *sock) send(b []byte) {
	if !s.open() || len(b) == 0 || s.failed != 0 {
		return
	}
	switch {
	case s.tls != nil:
		s.tls.send(b)
	case len(b) >= bigWrite && !s.blocked:
		s.sendNow(b)
	default:
		s.keep(b)
		s.mark()
	}
}

// room returns the socket's output to append a message to; take puts it back.
func (s *sock) room() []byte {
	if s.tls != nil {
		return s.tls.room()
	}
	return s.rawRoom()
}

func (s *sock) rawRoom() []byte {
	if s.out == nil {
		s.out = s.l.buffer()
	}
	return s.out
}

// take is given what room returned, with a message at its end.
func (s *sock) take(b []byte) {
	if t := s.tls; t != nil {
		t.plain, t.plainAt = compact(b, t.plainAt)
	} else {
		s.out, s.outAt = compact(b, s.outAt)
	}
	s.mark()
}

// compact lets go of what of b has been written, at bytes, once it is the larger part:
// a stream of which a little always waits must not grow.
func compact(b []byte, at int) ([]byte, int) {
	if at > bufferSize && at > len(b)/2 {
		return b[:copy(b, b[at:])], 0
	}
	return b, at
}

// reserve makes room for n bytes more at once, where growing would copy what is there
// again and again.
func (s *sock) reserve(n int) {
	b := s.room()
	if cap(b)-len(b) >= n || cap(b) >= largeSize {
		return
	}
	large := s.l.largeBuffer()
	if t := s.tls; t != nil {
		t.plain, t.plainAt = append(large, b[t.plainAt:]...), 0
	} else {
		s.out, s.outAt = append(large, b[s.outAt:]...), 0
	}
	s.l.giveBack(b)
}

// keep has b written as it is.
func (s *sock) keep(b []byte) {
	s.out, s.outAt = compact(append(s.rawRoom(), b...), s.outAt)
}

// mark has the output written at the end of the batch.
func (s *sock) mark() {
	if !s.dirty && !s.blocked {
		s.dirty = true
		s.l.dirty = append(s.l.dirty, s)
	}
}

// sendNow writes what waits and b, as it is, with one call.
func (s *sock) sendNow(b []byte) {
	if len(b) == 0 {
		return
	}
	var n int
	var e syscall.Errno
	before := s.out[s.outAt:]
	if len(before) > 0 {
		n, e = writev(s.fd, before, b, &s.l.iov)
	} else {
		n, e = write(s.fd, b)
	}
	if e != 0 && e != unix.EAGAIN {
		s.writeFailed(e)
		return
	}
	if e == unix.EAGAIN {
		n = 0
	}
	s.wrote += int64(n)
	if n < len(before) {
		s.outAt += n
		s.keep(b)
		s.block()
		return
	}
	s.releaseRaw()
	if n -= len(before); n < len(b) {
		s.keep(b[n:])
		s.block()
	}
}

// block notes that the kernel takes no more for now.
func (s *sock) block() {
	s.blocked = true
	s.owner.moved()
}

// flush writes what waits.
func (s *sock) flush() {
	s.dirty = false
	if !s.open() || s.failed != 0 {
		return
	}
	for s.outAt < len(s.out) {
		n, e := write(s.fd, s.out[s.outAt:])
		if e == unix.EAGAIN {
			s.block()
			return
		}
		if e == unix.EINTR {
			continue
		}
		if e != 0 {
			s.writeFailed(e)
			return
		}
		s.outAt += n
		s.wrote += int64(n)
	}
	s.releaseRaw()
	if s.tls == nil || s.tls.flush() {
		s.owner.sent()
	}
}

// writeFailed notes that the socket is broken. Its owner is told after the events of
// the batch, and not in the midst of what it is sending.
func (s *sock) writeFailed(e syscall.Errno) {
	s.failed = e
	s.release()
	s.again()
}

// release gives the output's buffers back.
func (s *sock) release() {
	s.releaseRaw()
	if s.tls != nil {
		s.tls.release()
	}
}

func (s *sock) releaseRaw() {
	if s.out != nil {
		s.l.giveBack(s.out)
		s.out, s.outAt = nil, 0
	}
}

// hold keeps input for later. b may be a part of what is held already.
func (s *sock) hold(b []byte) {
	switch {
	case len(b) == 0:
		s.drop()
	case len(s.in) > 0 && &b[len(b)-1] == &s.in[len(s.in)-1]: // the end of what is held
		s.in = s.in[:copy(s.in, b)]
	default:
		if len(b) <= smallSize/2 {
			s.in = append(s.l.smallBuffer(), b...)
			return
		}
		s.in = append(s.l.buffer(), b...)
	}
}

// drop gives the input's buffer back.
func (s *sock) drop() {
	if s.in != nil {
		s.l.giveBack(s.in)
		s.in = nil
	}
}

// close ends the connection and forgets what waits. Idempotent.
func (s *sock) close() {
	if !s.open() {
		return
	}
	s.l.socks[s.fd] = nil
	closeFD(s.fd)
	s.fd = -1
	s.gen++
	s.l.wheel.remove(s)
	s.deadline = 0
	s.release()
	s.drop()
	if s.tls != nil && s.tls.shake != nil {
		s.tls.shake.abandon()
	}
}

// leave ends a connection on which nothing is under way.
func (s *sock) leave() {
	if s.open() && s.tls != nil && s.waiting() == 0 && s.tls.part() {
		s.flush() // if the kernel does not take it, the peer learns it by the end alone
	}
	s.close()
}

// read takes what the kernel has for us.
func (s *sock) read(b []byte) (int, syscall.Errno) {
	if s.tls != nil {
		return s.tls.read(b)
	}
	n, e := read(s.fd, b)
	if n > 0 && n < len(b) && !s.ended {
		s.readable = false
	}
	return n, e
}

// receive returns what the peer has sent, up to most bytes; nil: nothing now, or no
// more, which its owner knows then.
func (s *sock) receive(most int) []byte {
	l := s.l
	for {
		n, e := s.read(l.in[:most])
		switch {
		case e == unix.EAGAIN:
			s.readable = false
			return nil
		case e == unix.EINTR:
		case e != 0:
			l.fail(s, e)
			return nil
		case n == 0:
			s.readable, s.ended = false, true
			s.owner.eof()
			return nil
		default:
			l.spent += n
			return l.in[:n]
		}
	}
}

// again has ready called after the events of this batch.
func (s *sock) again() {
	if s.open() && !s.queuedUp {
		s.queuedUp = true
		s.l.again = append(s.l.again, s)
	}
}
