package loop

import (
	"strconv"
	"strings"

	"github.com/unilb/unilb/impl/engine/h1"
	"github.com/unilb/unilb/impl/engine/h2"
	"github.com/unilb/unilb/impl/exchange"
)

// A stream is the front of an exchange of HTTP/2. It lives until its answer has gone:
// longer than its exchange when the client is slow.
type stream struct {
	m        *mux
	s        *h2.Stream // nil: ended
	run      *run       // nil: ended
	at       int        // place in m.streams
	queued   bool       // in m.held
	bodyless bool       // an answer of ours has no body
	moved    int64      // when the client last did something for it

	// Of the request's body, when nobody takes it.
	in     []byte
	inEnd  bool
	fields exchange.Fields // its trailers

	// Of the answer's body, when the client does not take it.
	taking   patience
	out      []byte
	ending   bool // there is no more
	trailing exchange.Fields
}

var _ front = (*stream)(nil)

const streamsKept = 1024

func (l *loop) newStream() *stream {
	if n := len(l.streams); n > 0 {
		s := l.streams[n-1]
		l.streams = l.streams[:n-1]
		return s
	}
	return &stream{}
}

// free gives the stream back when nobody holds it any more.
func (s *stream) free() {
	if s.m == nil || s.s != nil || s.run != nil || s.queued {
		return
	}
	l, fields, trailing := s.m.c.l, s.fields[:0], s.trailing[:0]
	*s = stream{fields: fields, trailing: trailing}
	if len(l.streams) < streamsKept {
		l.streams = append(l.streams, s)
	}
}

// begin starts the exchange, whose head is complete.
func (s *stream) begin(head h2.Head) {
	r, c := s.run, s.m.c
	x := &r.x
	x.Request.Scheme, x.Request.Remote, x.Request.Local = "http", c.remote, c.local
	if c.said != nil {
		x.Request.Scheme, x.Request.TLS = "https", c.said
	}
	r.framing.Expect, r.trailer, r.whole = head.Expect, head.Trailer, head.End
	r.bodyless = x.Request.Method == "HEAD"
	if x.Request.Method == "CONNECT" {
		s.run = nil
		r.forget()
		c.refused(exchange.HTTP2, 405, "method")
		s.answer(405)
		return
	}
	r.ask()
}

// data takes a part of the request's body.
func (s *stream) data(b []byte, end bool) {
	s.moved = s.m.c.l.now
	switch {
	case s.run == nil:
		s.s.Consumed(len(b)) // nobody waits for it
	case len(s.in) > 0 || !s.run.takes():
		s.in = append(s.in, b...)
		s.inEnd = end
	default:
		s.pass(b, end)
	}
}

// pass gives a part of the request's body to the exchange.
func (s *stream) pass(b []byte, end bool) {
	hs := s.s
	s.run.body(b, end)
	if s.s == hs {
		hs.Consumed(len(b))
	}
}

// goOn passes on what was held.
func (s *stream) goOn() {
	if s.run == nil || s.s == nil || len(s.in) == 0 && !s.inEnd || !s.run.takes() {
		return
	}
	b, end := s.in, s.inEnd
	s.in, s.inEnd = nil, false
	s.pass(b, end)
}

// waits tells that it is the client's turn to do something.
func (s *stream) waits() bool {
	return len(s.out) > 0 || s.run != nil && (s.run.awaits() || s.run.answering && s.full())
}

// drips tells that the client sends the request's body too slowly, or takes that of the
// answer so.
func (s *stream) drips() bool {
	l := s.m.c.l
	if s.taking.since != 0 && s.taking.wait(l, s.taking.waiting) <= 1 && s.taking.waiting {
		return true
	}
	if s.run == nil {
		return false
	}
	awaits := s.run.awaits()
	return s.run.slow.wait(l, awaits) <= 1 && awaits
}

func (s *stream) late() {
	if s.run != nil {
		s.run.clientLate()
		return
	}
	s.reset(h2.Cancel)
}

func (s *stream) reset(code h2.Code) {
	if s.s != nil {
		s.s.Reset(code)
		s.leave()
	}
}

// leave is called when the stream has ended.
func (s *stream) leave() {
	if s.s == nil {
		return
	}
	s.s, s.in, s.out = nil, nil, nil
	m := s.m
	last := len(m.streams) - 1
	m.streams[s.at] = m.streams[last]
	m.streams[s.at].at = s.at
	m.streams[last] = nil
	m.streams = m.streams[:last]
	defer s.free()
	if len(m.streams) == 0 && m.c.open() {
		if m.c.l.stopping {
			m.conn.GoAway()
			m.c.again() // we may be in the midst of what it has sent
			return
		}
		m.c.pace()
	}
}

func (s *stream) interim(r *run, status int) {
	if s.s != nil && !s.m.c.full() {
		s.s.Interim(status, r.x.Response.Fields, nil)
	}
}

func (s *stream) goAhead() {
	if s.s != nil {
		s.s.Interim(100, nil, nil)
	}
}

func (s *stream) head(r *run, status int, fields exchange.Fields, length int64, trailer exchange.Fields) {
	l := r.l
	if s.s == nil {
		return
	}
	if l.e.closing() {
		s.m.conn.Drain()
	}
	a := h2.Answer{Length: length, End: r.bodyless || length == 0, Trailer: trailer, Date: l.dateText()}
	s.s.Answer(status, fields, r.x.ResponseEdits, a)
	s.moved = l.now
	if a.End {
		s.leave()
	}
}

func (s *stream) body(_ *run, b []byte, last bool) {
	if s.s == nil {
		return
	}
	if len(s.out) > 0 {
		s.out = append(s.out, b...)
		s.ending = last
		return
	}
	n := s.give(b, last)
	switch {
	case n < len(b):
		s.out, s.ending = append(s.out, b[n:]...), last
	case last:
		s.leave()
	}
}

// give sends a part of the answer's body, and returns how much of it has gone.
func (s *stream) give(b []byte, last bool) int {
	l := s.m.c.l
	s.m.c.reserve(len(b) + framesOver)
	n := s.s.Data(b, last)
	s.taking.wait(l, n < len(b))
	if n > 0 {
		s.moved = l.now
		s.taking.moved(l, n)
		l.spent += n / 2 // it is copied once more than others
	}
	return n
}

// framesOver is how much frames add to a part of a body, at most.
const framesOver = 256

func (s *stream) end(_ *run, trailers exchange.Fields) {
	switch {
	case s.s == nil || s.ending:
	case len(s.out) > 0:
		s.ending = true
		for _, f := range trailers { // which are views
			s.trailing = append(s.trailing, exchange.Field{Name: strings.Clone(f.Name), Value: strings.Clone(f.Value)})
		}
	default:
		s.s.End(trailers)
		s.leave()
	}
}

// flush sends what the client did not take before.
func (s *stream) flush() {
	if len(s.out) > 0 {
		last := s.ending && len(s.trailing) == 0
		n := s.give(s.out, last)
		if s.out = s.out[n:]; len(s.out) > 0 {
			return
		}
		s.out = nil
		if s.ending {
			if !last {
				s.s.End(s.trailing)
			}
			s.leave()
			return
		}
	}
	if s.run != nil {
		s.run.clientSent()
	}
}

func (s *stream) answer(status int) {
	l := s.m.c.l
	if s.s == nil {
		return
	}
	text := strconv.Itoa(status) + " " + h1.Phrase(status) + "\n" // refusing is rare
	fields := exchange.Fields{{Name: "Content-Type", Value: "text/plain; charset=utf-8"}}
	if l.e.o.Server != "" {
		fields = append(fields, exchange.Field{Name: "Server", Value: l.e.o.Server})
	}
	s.s.Answer(status, fields, nil, h2.Answer{Length: int64(len(text)), End: s.bodyless, Date: l.dateText()})
	if s.bodyless {
		s.leave()
		return
	}
	s.body(nil, []byte(text), true)
}

// full is only who has been given more than he takes: the head of an answer, and its
// end, need no window.
func (s *stream) full() bool { return s.s != nil && len(s.out) > 0 }

func (s *stream) window() int {
	if s.s == nil {
		return readSize
	}
	return s.s.Room()
}

func (s *stream) open() bool { return s.s != nil }

func (s *stream) more() {
	if !s.queued && (len(s.in) > 0 || s.inEnd) {
		s.queued = true
		s.m.held = append(s.m.held, s)
		s.m.c.again()
	}
}

func (s *stream) pace() {
	s.moved = s.m.c.l.now
	if s.run != nil {
		s.run.slow.wait(s.m.c.l, s.run.awaits())
	}
}

func (s *stream) trailers() exchange.Fields { return s.fields }

func (s *stream) over(_, cut bool) {
	s.run, s.in = nil, nil
	switch {
	case s.s == nil:
		s.free()
	case s.ending: // it ends when the client has taken the rest
	case cut:
		s.reset(h2.InternalError)
	default:
		s.reset(h2.NoError) // the answer has ended without a word of it
	}
}

func (s *stream) collapse() {
	s.run = nil
	s.reset(h2.InternalError)
}
