package h2

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/unilb/unilb/impl/exchange"
)

// A machine is a connection with an owner that writes down what it is told. Views are
// copied in their callbacks and nowhere else.
type machine struct {
	c       *Conn
	out     []byte
	waiting int // beside out
	log     []string
	dataOf  uint32 // the last entry is its data
	err     error
	now     int64
	held    []byte

	streams    map[uint32]*Stream
	asked      map[uint32]*exchange.Exchange
	handle     func(*Stream, *exchange.Exchange, Head) // nil: nothing is answered
	onData     func(*Stream, []byte, bool)             // nil: it is consumed at once
	can        func(*Stream)                           // when there is room
	onReset    func(*Stream)
	onTrailers func(*Stream, exchange.Fields)
	frames     *http2.Framer // of out
	in         *bytes.Buffer // for frames
}

func newMachine(o Options) *machine {
	o.Poison = true
	m := &machine{streams: map[uint32]*Stream{}, asked: map[uint32]*exchange.Exchange{}, in: new(bytes.Buffer)}
	m.frames = http2.NewFramer(nil, m.in)
	m.frames.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	m.frames.SetMaxReadFrameSize(frameSize)
	m.c = New(o).Conn(m, m)
	return m
}

func (m *machine) Room() []byte  { return m.out }
func (m *machine) Take(b []byte) { m.out = b }
func (m *machine) Waiting() int  { return len(m.out) + m.waiting }

func (m *machine) note(format string, args ...any) {
	m.log = append(m.log, fmt.Sprintf(format, args...))
	m.dataOf = 0
}

func (m *machine) Open(s *Stream) *exchange.Exchange {
	x := &exchange.Exchange{}
	x.Reset(0, nil)
	m.streams[s.ID()], m.asked[s.ID()] = s, x
	return x
}

func (m *machine) Request(s *Stream, h Head) {
	x := m.asked[s.ID()]
	r := &x.Request
	m.note("request %d %s %s path %s query %s host %s of %s length %d %q end %v expect %v trailer %q", s.ID(), r.Method, r.Target, r.Path, r.Query, r.Host, r.Authority,
		r.BodyLength, r.Fields, h.End, h.Expect, h.Trailer)
	if m.handle != nil {
		m.handle(s, x, h)
	}
}

func (m *machine) Refuse(s *Stream, why Reason) {
	if s == nil {
		m.note("refuse: %s", why)
		return
	}
	m.note("refuse %d: %s", s.ID(), why)
	delete(m.streams, s.ID())
	if status := why.Status(); status != 0 {
		s.Answer(status, nil, nil, Answer{Length: NoLength, End: true})
	}
}

func (m *machine) Data(s *Stream, b []byte, end bool) {
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

func (m *machine) Trailers(s *Stream, f exchange.Fields) {
	m.note("trailers %d %q", s.ID(), f)
	if m.onTrailers != nil {
		m.onTrailers(s, f)
	}
}

func (m *machine) Reset(s *Stream, e Error) {
	m.note("reset %d: %s %s", s.ID(), e.Reason, e.Code)
	if m.onReset != nil {
		m.onReset(s)
	}
	delete(m.streams, s.ID())
}

func (m *machine) Writable(s *Stream) {
	if m.can != nil {
		m.can(s)
	}
}

// feed gives bytes to the machine, which die behind it.
func (m *machine) feed(b []byte) *machine {
	m.held = append(m.held, b...)
	fed := bytes.Clone(m.held)
	n, err := m.c.Feed(m.now, fed)
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
func (m *machine) sent() (out []string) {
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

func frameText(f http2.Frame) string {
	h := f.Header()
	end := ""
	if h.Flags.Has(http2.FlagDataEndStream) && (h.Type == http2.FrameData || h.Type == http2.FrameHeaders) {
		end = " end"
	}
	switch f := f.(type) {
	case *http2.DataFrame:
		return fmt.Sprintf("data %d %d bytes%s", h.StreamID, len(f.Data()), end)
	case *http2.MetaHeadersFrame:
		var fields []string
		for _, x := range f.Fields {
			fields = append(fields, x.Name+": "+x.Value)
		}
		return fmt.Sprintf("headers %d [%s]%s", h.StreamID, strings.Join(fields, ", "), end)
	case *http2.RSTStreamFrame:
		return fmt.Sprintf("reset %d %v", h.StreamID, f.ErrCode)
	case *http2.SettingsFrame:
		if f.IsAck() {
			return "settings ack"
		}
		return fmt.Sprintf("settings %d", f.NumSettings())
	case *http2.PingFrame:
		return fmt.Sprintf("ping ack %v %q", f.IsAck(), f.Data[:])
	case *http2.GoAwayFrame:
		return fmt.Sprintf("goaway %d %v %s", f.LastStreamID, f.ErrCode, f.DebugData())
	case *http2.WindowUpdateFrame:
		return fmt.Sprintf("window %d %d", h.StreamID, f.Increment)
	}
	return fmt.Sprintf("frame of type %v", h.Type)
}

// wire is what a client sends.
type wire struct {
	bytes.Buffer
	f     *http2.Framer
	enc   *hpack.Encoder
	block bytes.Buffer
}

func newWire() *wire {
	w := &wire{}
	w.f = http2.NewFramer(&w.Buffer, nil)
	w.f.AllowIllegalWrites = true
	w.enc = hpack.NewEncoder(&w.block)
	return w
}

// greet writes the preface and SETTINGS.
func (w *wire) greet(s ...http2.Setting) *wire {
	w.WriteString(Preface)
	must(w.f.WriteSettings(s...))
	return w
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// encode makes a header block of lines "name: value".
func (w *wire) encode(lines ...string) []byte {
	w.block.Reset()
	for _, l := range lines {
		i := strings.Index(l[1:], ": ") + 1
		must(w.enc.WriteField(hpack.HeaderField{Name: l[:i], Value: l[i+2:]}))
	}
	return bytes.Clone(w.block.Bytes())
}

// get is the head of a plain request.
var get = []string{":method: GET", ":scheme: http", ":path: /", ":authority: a.example"}

// post is one that has a body.
var post = []string{":method: POST", ":scheme: http", ":path: /", ":authority: a.example"}

func (w *wire) headers(id uint32, end bool, lines ...string) *wire {
	must(w.f.WriteHeaders(http2.HeadersFrameParam{StreamID: id, EndStream: end, EndHeaders: true, BlockFragment: w.encode(lines...)}))
	return w
}

func (w *wire) data(id uint32, end bool, s string) *wire {
	must(w.f.WriteData(id, end, []byte(s)))
	return w
}

func (w *wire) raw(k kind, flags uint8, id uint32, payload string) *wire {
	must(w.f.WriteRawFrame(http2.FrameType(k), http2.Flags(flags), id, []byte(payload)))
	return w
}

func (w *wire) window(id, by uint32) *wire {
	must(w.f.WriteWindowUpdate(id, by))
	return w
}

func (w *wire) reset(id uint32) *wire {
	must(w.f.WriteRSTStream(id, http2.ErrCodeCancel))
	return w
}

func (w *wire) take() []byte {
	b := bytes.Clone(w.Bytes())
	w.Reset()
	return b
}

// greeted is a machine whose client has sent its preface, and that client.
func greeted(o Options, s ...http2.Setting) (*machine, *wire) {
	m, w := newMachine(o), newWire()
	m.feed(w.greet(s...).take())
	must(w.f.WriteSettingsAck())
	m.feed(w.take())
	m.sent()
	return m, w
}

// same compares lists of lines.
func same(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: got %q, want %q", what, got, want)
		return
	}
	for i := range got {
		if got[i] != want[i] {
			t.Errorf("%s: got %q, want %q", what, got[i], want[i])
		}
	}
}

// huffman appends a string in Huffman code.
func huffman(b []byte, s string) []byte {
	b = appendNumber(b, 0x80, 7, hpack.HuffmanEncodeLength(s))
	return hpack.AppendHuffmanString(b, s)
}
