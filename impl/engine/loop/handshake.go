package loop

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"net"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/impl/engine/admit"
	"github.com/unilb/unilb/impl/obs"
)

const (
	// handshakesAtOnce bounds the handshakes of a loop that compute at the same time.
	// Those beyond wait for their turn, and their time runs meanwhile. One that waits
	// for its client is not among them: whoever stops half-way keeps nobody waiting.
	handshakesAtOnce = 64
	// helloSize is how much a handshake is given at once.
	helloSize = 16 << 10
)

// A handshake is one with a client, which a goroutine makes: to sign takes longer than
// all that a loop does for a request. The loop still does the reading and writing, so
// that a client which says nothing costs no goroutine, and deadlines are those of the
// loop.
type handshake struct {
	t    *session
	feed chan []byte // what the loop has read; closed with the connection

	// The loop's view.
	begun     bool   // it has its goroutine
	hungry    bool   // it waits for more
	held      []byte // what it gets when it is its turn
	computing bool
}

// encrypt puts TLS on a connection from a client. Its handshake begins with its first
// byte.
func (l *loop) encrypt(c *client) {
	t := &session{s: &c.sock}
	t.shake = &handshake{t: t, feed: make(chan []byte, 1), hungry: true}
	t.mem.shake = t.shake
	t.conn = tls.Server(&t.mem, l.e.o.TLS.Config())
	c.tls = t
}

// goOn feeds the handshake what its client has sent, when it waits for that.
func (h *handshake) goOn() {
	s := h.t.s
	for s.open() && s.readable && h.hungry {
		b := s.l.in[:helloSize]
		n, e := read(s.fd, b)
		switch {
		case e == unix.EAGAIN:
			s.readable = false
		case e == unix.EINTR:
		case e != 0:
			s.l.fail(s, e)
		case n == 0:
			s.readable, s.ended = false, true
			s.owner.eof()
		default:
			h.hungry, h.held = false, bytes.Clone(b[:n])
			h.t.mem.records.see(b[:n])
			s.l.shakeLater = append(s.l.shakeLater, h)
			s.l.shakeMore()
		}
	}
}

// shakeMore lets those handshakes go on whose turn it is.
func (l *loop) shakeMore() {
	for len(l.shakeLater) > 0 && l.shaking < handshakesAtOnce {
		h := l.shakeLater[0]
		l.shakeLater[0] = nil
		l.shakeLater = l.shakeLater[1:]
		if !h.t.s.open() {
			continue
		}
		l.shaking++
		b := h.held
		h.held, h.computing = nil, true
		if h.begun {
			h.feed <- b // it waits, and has room for one
			continue
		}
		h.begun, h.t.mem.in = true, b
		go h.run()
	}
}

// rest is called when a handshake waits for its client, or has ended.
func (h *handshake) rest() {
	if l := h.t.s.l; h.computing {
		h.computing = false
		l.shaking--
		l.shakeMore()
	}
}

// run makes the handshake. It is the goroutine.
func (h *handshake) run() {
	err := h.make()
	m := &h.t.mem
	out := m.out
	m.out = nil
	h.t.s.l.mail.post(func() { h.done(out, err) }) // or the loop has ended, and the connection with it
}

func (h *handshake) make() (err error) {
	defer func() {
		if p := recover(); p != nil {
			h.t.s.l.panicked(p)
			err = fmt.Errorf("panic in a handshake: %v", p)
		}
	}()
	return h.t.conn.Handshake()
}

// more has what was written sent, and waits for an answer.
func (h *handshake) more(m *memory) ([]byte, error) {
	out := m.out
	m.out = nil
	h.t.s.l.mail.post(func() { h.ask(out) })
	b, ok := <-h.feed
	if !ok {
		return nil, net.ErrClosed
	}
	return b, nil
}

// ask is more, on the loop.
func (h *handshake) ask(out []byte) {
	h.rest()
	if s := h.t.s; s.open() {
		s.sendNow(out)
		h.hungry = true
		h.goOn()
	}
}

// abandon ends a handshake whose connection has ended.
func (h *handshake) abandon() {
	close(h.feed)
	if h.begun {
		h.t.s.l.e.refused.count(handshakeFailed)
	}
}

// handshakeFailed is the reason under which handshakes are counted that fail.
const handshakeFailed = "tls_handshake"

// done ends the handshake.
func (h *handshake) done(out []byte, err error) {
	t := h.t
	l, c := t.s.l, t.s.owner.(*client)
	h.rest()
	if !t.s.open() {
		return
	}
	t.s.sendNow(out)
	t.shake, t.mem.shake = nil, nil
	if err != nil {
		c.unsecured(err)
		return
	}
	l.e.shaken.Add(1)
	state := t.conn.ConnectionState()
	c.said = l.e.o.TLS.Conn(state)
	if state.NegotiatedProtocol == "h2" {
		c.multiplex()
	}
	if l.stopping {
		l.arm(&c.sock, newcomers)
	}
	c.again()
}

// unsecured ends a connection whose handshake has failed.
func (c *client) unsecured(err error) {
	l := c.l
	l.e.refused.count(handshakeFailed)
	l.e.o.Log.Debug("handshake failed", "client", c.remote, obs.Err, err)
	c.tls = nil // what is still read of it is thrown away
	var head tls.RecordHeaderError
	if errors.As(err, &head) && head.Conn != nil {
		switch string(head.RecordHeader[:]) {
		case "GET /", "HEAD ", "POST ", "PUT /", "OPTIO", "DELET", "PATCH":
			c.sendNow([]byte(admit.PlainRequest(l.e.o.Server))) // a courtesy
		}
	}
	c.finishAndClose()
}
