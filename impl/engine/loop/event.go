package loop

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// dispatch carries out an event, of a client's connection or of any other.
func (l *loop) dispatch(ev *unix.EpollEvent, clients bool) {
	fd := int(ev.Fd)
	s := l.sock(fd, uint32(ev.Pad))
	if s == nil {
		if clients {
			l.other(fd)
		}
		return
	}
	if _, ok := s.owner.(*client); ok == clients {
		s.events = ev.Events
		l.guard(s, (*sock).event)
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
	l.spare = nil
	for i, f := range mail {
		l.carry(f)
		mail[i] = nil
	}
	l.spare = mail
}

// carry carries out one message.
func (l *loop) carry(f func()) {
	defer func() {
		if p := recover(); p != nil {
			l.panicked(p)
		}
	}()
	f()
}

// event is an edge of a connection.
func (s *sock) event() {
	l, events := s.l, s.events
	if events&unix.EPOLLERR != 0 {
		// What is wrong is for the next read or write to say, unless nobody reads:
		// a reset must not wait for that. What came before it is still to be read.
		if events&unix.EPOLLIN != 0 {
			l.lastWords(s)
		}
		if !s.open() {
			return
		}
		if e := connectError(s.fd); e != 0 {
			l.fail(s, e)
			return
		}
	}
	if events&(unix.EPOLLIN|unix.EPOLLRDHUP|unix.EPOLLHUP) != 0 {
		s.readable = true
		if s.tls != nil {
			s.tls.dry = false
		}
	}
	if events&(unix.EPOLLRDHUP|unix.EPOLLHUP) != 0 {
		s.ended = true
	}
	if events&unix.EPOLLOUT != 0 {
		switch o := s.owner.(type) {
		case *upstream:
			if o.connecting {
				o.connected()
			}
		case *trunk:
			if o.connecting {
				o.connected()
			}
		}
		if s.blocked {
			s.blocked = false
			s.flush()
		}
	}
	if s.open() && s.readable {
		s.owner.ready()
	}
}

// lastWords reads what a target has sent before its connection broke: often it says
// why.
func (l *loop) lastWords(s *sock) {
	if !s.open() {
		return
	}
	switch o := s.owner.(type) {
	case *upstream:
		if o.run == nil || o.connecting {
			return
		}
	case *trunk:
		if o.conn == nil {
			return
		}
	default:
		return
	}
	s.readable, s.ended = true, true
	s.owner.ready()
}

// fail ends a socket that is broken.
func (l *loop) fail(s *sock, e syscall.Errno) {
	if !s.open() {
		return
	}
	s.close()
	s.owner.broken(e)
}
