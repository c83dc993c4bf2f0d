package h2

import (
	"bytes"
	"fmt"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/unilb/unilb/impl/exchange"
)

// A caller is a connection to a target, with an asker that writes down what it is told.
// Views are copied in their callbacks and nowhere else.
type caller struct {
	c       *Conn
	out     []byte
	waiting int // beside out
	log     []string
	dataOf  uint32
	err     error
	held    []byte

	onAnswer   func(*Stream)
	onData     func(*Stream, []byte, bool) // nil: it is consumed at once
	onReset    func(*Stream, Error)
	onTrailers func(*Stream)
	can        func(*Stream)
	frames     *http2.Framer
	in         *bytes.Buffer
}

func newCaller(o Options) *caller {
	o.Poison = true
	m := &caller{in: new(bytes.Buffer)}
	m.frames = http2.NewFramer(nil, m.in)
	m.frames.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	m.frames.SetMaxReadFrameSize(frameSize)
	m.c = NewClient(o).Conn(m, m)
	return m
}

func (m *caller) Room() []byte { return m.out }

func (m *caller) Take(b []byte) { m.out = b }

func (m *caller) Waiting() int { return len(m.out) + m.waiting }

func (m *caller) note(format string, args ...any) {
	m.log = append(m.log, fmt.Sprintf(format, args...))
	m.dataOf = 0
}

func (m *caller) Interim(s *Stream) {
	m.note("interim %d: %d %q", s.ID(), s.x.Response.Status, s.x.Response.Fields)
}

func (m *caller) Answer(s *Stream, h AnswerHead) {
	r := &s.x.Response
	m.note("answer %d: %d %q length %d of %d end %v trailer %q", s.ID(), r.Status, r.Fields, r.BodyLength, h.Length, h.End, h.Trailer)
	if m.onAnswer != nil {
		m.onAnswer(s)
	}
}

func (m *caller) Data(s *Stream, b []byte, end bool) {
	if m.dataOf != s.ID() {
		m.note("data %d ", s.ID())
		m.dataOf = s.ID()
	}
	last := &m.log[len(m.log)-1]
	*last += string(b)
	if end {
		*last += " end"
		m.dataOf = 0
	}
	if m.onData != nil {
		m.onData(s, b, end)
		return
	}
	s.Consumed(len(b))
}

func (m *caller) Trailers(s *Stream, f exchange.Fields) {
	m.note("trailers %d %q", s.ID(), f)
	if m.onTrailers != nil {
		m.onTrailers(s)
	}
}

func (m *caller) Reset(s *Stream, e Error) {
	m.note("reset %d: %s %s untouched %v", s.ID(), e.Reason, e.Code, e.Untouched())
	if m.onReset != nil {
		m.onReset(s, e)
	}
}

func (m *caller) Writable(s *Stream) {
	if m.can != nil {
		m.can(s)
	}
}

// feed gives bytes of the target to the connection, which die behind it.
func (m *caller) feed(b []byte) *caller {
	m.held = append(m.held, b...)
	fed := bytes.Clone(m.held)
	n, err := m.c.Feed(0, fed)
	for i := range fed {
		fed[i] = 0xDB
	}
	m.held = m.held[n:]
	if err != nil {
		m.err = err
	}
	return m
}

// sent takes what is in the output as frames, one string each.
func (m *caller) sent() (out []string) {
	m.out = bytes.TrimPrefix(m.out, []byte(Preface))
	m.in.Write(m.out)
	m.out = m.out[:0]
	for m.in.Len() > 0 {
		f, err := m.frames.ReadFrame()
		if err != nil {
			return append(out, "unreadable: "+err.Error())
		}
		out = append(out, frameText(f))
	}
	return out
}

// asking makes the exchange of a request.
func asking(method, target, host string, lines ...string) *exchange.Exchange {
	x := &exchange.Exchange{}
	x.Reset(0, nil)
	x.Request.Method, x.Request.Target, x.Request.Fields = method, target, fields(lines...)
	x.Plan.Host = host
	return x
}

// ask sends a request without a body.
func (m *caller) ask(lines ...string) *Stream {
	return m.c.Request(asking("GET", "/", "a.example", lines...), Ask{Length: NoLength, End: true})
}

// upload sends the head of one that has a body.
func (m *caller) upload() *Stream {
	return m.c.Request(asking("POST", "/", "a.example"), Ask{Length: NoLength})
}

// settle has the target say what it wants, and takes note of what we have said.
func (w *wire) settle(s ...http2.Setting) *wire {
	must(w.f.WriteSettings(s...))
	must(w.f.WriteSettingsAck())
	return w
}

// standing is a connection whose target has said its SETTINGS, and that target.
func standing(o Options, s ...http2.Setting) (*caller, *wire) {
	m, w := newCaller(o), newWire()
	m.feed(w.settle(s...).take())
	m.sent()
	return m, w
}

const status200 = ":status: 200"
