package loop

import (
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/impl/engine/h1"
)

const (
	// spliceFrom is how much of a body must be left for the kernel to move it from
	// socket to socket without copying it to us.
	spliceFrom = 64 << 10
	// pipeSize is how much is moved at once.
	pipeSize = 256 << 10
	// pipesKept by a loop for bodies to come.
	pipesKept = 32
)

// A pipe is what the kernel moves bytes through.
type pipe struct {
	r, w int
	held int // bytes in it
}

func (l *loop) pipe() *pipe {
	if n := len(l.pipes); n > 0 {
		p := l.pipes[n-1]
		l.pipes = l.pipes[:n-1]
		return p
	}
	var fds [2]int
	if unix.Pipe2(fds[:], unix.O_NONBLOCK|unix.O_CLOEXEC) != nil {
		return nil // no descriptors: the body is copied
	}
	// A pipe of the usual size moves less at once, and is right all the same.
	_, _ = unix.FcntlInt(uintptr(fds[1]), unix.F_SETPIPE_SZ, pipeSize)
	return &pipe{r: fds[0], w: fds[1]}
}

// givePipe takes a pipe back. One that still holds bytes is closed: they are of
// another body.
func (l *loop) givePipe(p *pipe) {
	if p == nil {
		return
	}
	if p.held == 0 && len(l.pipes) < pipesKept {
		l.pipes = append(l.pipes, p)
		return
	}
	closeFD(p.r)
	closeFD(p.w)
}

// spliceable tells whether what is left of the answer may go by without us.
func (u *upstream) spliceable() bool {
	r := u.run
	if u.holds() {
		return true // what is on its way goes first
	}
	return u.inBody && r != nil && r.tunnel == nil && u.tls == nil && r.c != nil && r.c.tls == nil && !r.chunked && !r.bodyless && !r.x.FilterBody && !u.plainOnly &&
		len(u.in) == 0 && u.framing.Length != h1.Chunked && u.answer.Left() >= spliceFrom
}

// holds tells whether some of the answer is in a pipe, on its way to the client.
func (u *upstream) holds() bool { return u.run != nil && u.run.pipe != nil && u.run.pipe.held > 0 }

// splice moves the answer's body until one side cannot go on. It returns false when
// there is nothing more to do now.
func (u *upstream) splice() bool {
	r := u.run
	c, l := r.c, u.l
	if c.waiting() > 0 { // the head, or what was copied, goes first
		c.flush()
		if c.waiting() > 0 || c.failed != 0 {
			u.watch()
			return false
		}
	}
	if r.pipe == nil {
		if r.pipe = l.pipe(); r.pipe == nil {
			u.plainOnly = true
			return true
		}
	}
	for !l.tired() { // others want to go on, too
		p := r.pipe
		if p.held == 0 && u.answer.Left() < spliceFrom {
			return true // the rest is copied
		}
		if p.held == 0 {
			n, e := splice(u.fd, p.w, min(int(u.answer.Left()), pipeSize), 0)
			switch {
			case e == unix.EAGAIN:
				u.readable = false
				u.watch()
				return false
			case e == unix.EINVAL || e == unix.ENOSYS: // not of this kind of socket
				u.plainOnly = true
				return true
			case e != 0:
				l.fail(&u.sock, e)
				return false
			case n == 0:
				u.readable, u.ended = false, true
				u.eof()
				return false
			}
			p.held = n
			u.answer.Skip(int64(n))
		}
		n, e := splice(p.r, c.fd, p.held, int(u.answer.Left()))
		if e == unix.EAGAIN {
			c.blocked = true
			c.pace()
			u.watch()
			return false
		}
		if e != 0 {
			c.writeFailed(e)
			return false
		}
		p.held -= n
		l.spent += n / 4 // it costs less than copying
		c.wrote += int64(n)
		if c.deadline != 0 {
			c.pace() // it goes on
		}
		r.rec.Sent += int64(n)
		l.e.spliced.Add(int64(n))
		if p.held == 0 && u.answer.Left() == 0 {
			u.complete(0)
			return false
		}
	}
	u.again()
	return false
}

// splice moves at most n bytes; more says that others follow.
func splice(from, to, n, more int) (int, syscall.Errno) {
	flags := uintptr(unix.SPLICE_F_MOVE | unix.SPLICE_F_NONBLOCK)
	if more > 0 {
		flags |= unix.SPLICE_F_MORE
	}
	moved, _, e := syscall.RawSyscall6(unix.SYS_SPLICE, uintptr(from), 0, uintptr(to), 0, uintptr(n), flags)
	return int(moved), e
}
