package loop

import (
	"time"

	"github.com/unilb/unilb/impl/engine/h2"
	"github.com/unilb/unilb/impl/exchange"
)

// A mux is the HTTP/2 of a client's connection. It carries any number of exchanges at a
// time, each by a stream.
type mux struct {
	c       *client
	conn    *h2.Conn
	streams []*stream
	held    []*stream          // that may have something to go on with
	now     *stream            // whose turn it is, for a panic
	moved   int64              // when the client last took something
	idle    bool               // the time between requests runs
	why     exchange.CutReason // of the streams that cut ends
}

var _ h2.Owner = (*mux)(nil)

// multiplex makes HTTP/2 of a connection.
func (c *client) multiplex() {
	c.mux = &mux{c: c, moved: c.l.now}
	c.mux.conn = c.l.h2.Conn(c.mux, c.mux)
}

// Room, Take and Waiting give frames to the connection.
func (m *mux) Room() []byte  { return m.c.room() }
func (m *mux) Take(b []byte) { m.c.take(b) }
func (m *mux) Waiting() int  { return m.c.waiting() }

// feed takes what the client has sent and returns what has to wait.
func (m *mux) feed(b []byte) []byte {
	c := m.c
	n, err := m.conn.Feed(c.l.now, b)
	if err != nil {
		c.refused(exchange.HTTP2, 0, "h2_"+h2.ReasonOf(err).String())
	}
	if err != nil || m.conn.Done() {
		c.finishAndClose()
		return nil
	}
	c.pace()
	return b[n:]
}

// goOn lets streams go on that have waited.
func (m *mux) goOn() {
	held := m.held
	m.held = nil
	for i, s := range held {
		held[i] = nil
		s.queued = false
		m.turn(s, (*stream).goOn)
		s.free()
	}
	if m.held == nil {
		m.held = held[:0]
	}
	if m.conn.Done() && !m.c.closing {
		m.c.finishAndClose()
	}
}

// turn does something for one stream.
func (m *mux) turn(s *stream, f func(*stream)) {
	before := m.now
	m.now = s
	f(s)
	m.now = before
}

// Open begins the exchange of a stream.
func (m *mux) Open(hs *h2.Stream) *exchange.Exchange {
	s := m.c.l.newStream()
	s.m, s.s, s.moved, s.at = m, hs, m.c.l.now, len(m.streams)
	hs.State = s
	m.streams = append(m.streams, s)
	s.run = m.c.l.start(s, nil)
	return &s.run.x
}

// Request is called when the head of a request is there.
func (m *mux) Request(hs *h2.Stream, head h2.Head) {
	m.c.served++
	m.turn(hs.State.(*stream), func(s *stream) { s.begin(head) })
}

// Refuse is called when the head is none.
func (m *mux) Refuse(hs *h2.Stream, why h2.Reason) {
	if !m.conn.Done() { // or it is counted for the connection
		m.c.refused(exchange.HTTP2, why.Status(), "h2_"+why.String())
	}
	if hs == nil {
		return
	}
	s := hs.State.(*stream)
	r := s.run
	s.run, s.bodyless = nil, r.x.Request.Method == "HEAD"
	r.forget()
	if status := why.Status(); status != 0 {
		s.answer(status)
	}
	s.leave()
}

// Data is called for a part of a request's body.
func (m *mux) Data(hs *h2.Stream, b []byte, end bool) {
	m.turn(hs.State.(*stream), func(s *stream) { s.data(b, end) })
}

// Trailers is called for the end of one that has them.
func (m *mux) Trailers(hs *h2.Stream, fields exchange.Fields) {
	m.turn(hs.State.(*stream), func(s *stream) {
		if s.run != nil {
			for _, f := range fields {
				a := &s.run.x.Arena
				s.fields = append(s.fields, exchange.Field{Name: a.Copy(f.Name), Value: a.Copy(f.Value)})
			}
		}
		s.data(nil, true)
	})
}

// Reset is called when the client does not want the answer, or has sent what is no body.
func (m *mux) Reset(hs *h2.Stream, why h2.Error) {
	m.turn(hs.State.(*stream), func(s *stream) {
		s.leave()
		if s.run == nil {
			return
		}
		switch why.Reason {
		case h2.ReasonPeer:
			s.run.clientGone(exchange.CutClientReset)
		case h2.ReasonCut:
			s.run.clientGone(m.why)
		default:
			s.run.rec.Refused = "h2_" + why.Reason.String()
			if !m.conn.Done() { // or it is counted for the connection
				m.c.l.e.refused.count(s.run.rec.Refused)
			}
			s.run.clientGone(exchange.CutClientMalformed)
		}
	})
}

// Writable is called when there is room for an answer again.
func (m *mux) Writable(hs *h2.Stream) { m.turn(hs.State.(*stream), (*stream).flush) }

// sent is called when all frames have been written.
func (m *mux) sent() {
	m.moved = m.c.l.now
	m.conn.Sent()
	if m.conn.Done() && m.c.waiting() == 0 {
		m.c.closing = true
	}
}

// paces is in how many steps the time of a body is looked at.
const paces = 8

// pace sets the time of the next look at who is late.
func (m *mux) pace() {
	c, o := m.c, &m.c.l.e.o
	switch {
	case len(m.streams) > 0 || c.waiting() > 0:
		m.idle = false
		if !m.looking() {
			c.l.arm(&c.sock, max(1, o.BodyTimeout/paces))
		}
	case c.served == 0 || !m.conn.Idle():
		if c.deadline == 0 {
			c.l.arm(&c.sock, o.HeadTimeout)
		}
	case !m.idle: // and whatever comes but a request does not make it longer
		m.idle = true
		c.l.arm(&c.sock, o.IdleTimeout)
	}
}

// looking tells that the deadline is near enough for streams.
func (m *mux) looking() bool {
	c := m.c
	return c.deadline != 0 && c.deadline <= c.l.now+int64(c.l.e.o.BodyTimeout/paces)
}

// late looks at who is late, and ends what has been idle.
func (m *mux) late() {
	c := m.c
	now, most := c.l.now, int64(c.l.e.o.BodyTimeout)
	if len(m.streams) == 0 && c.waiting() == 0 {
		m.conn.GoAway()
		c.finishAndClose()
		return
	}
	if c.l.stopping {
		m.conn.GoAway() // to a client that has not understood Drain
	}
	if c.blocked && now-m.moved >= most {
		c.cut(exchange.CutClientNotReading)
		return
	}
	for i := len(m.streams) - 1; i >= 0; i-- { // one that ends is replaced by the last
		s := m.streams[i]
		if now-s.moved >= most && s.waits() || s.drips() {
			m.turn(s, (*stream).late)
		}
	}
	if c.open() && (len(m.streams) > 0 || c.waiting() > 0) {
		c.l.arm(&c.sock, max(1, time.Duration(most)/paces))
	}
}

// stop lets the connection end after its streams.
func (m *mux) stop() {
	if len(m.streams) == 0 {
		m.conn.GoAway()
		m.c.finishAndClose()
		return
	}
	m.conn.Drain()
}

// cut ends all streams, because the connection has ended.
func (m *mux) cut(why exchange.CutReason) {
	m.why = why
	m.conn.Cut()
}
