package framed

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/unilb/unilb/sim/echo"
	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/http1"
	"github.com/unilb/unilb/sim/traffic"
	"github.com/unilb/unilb/topology"
)

// OpMark stands in the value of a field for the id of the op.
const OpMark = "{op}"

// F is a field.
func F(name, value string) history.Field { return history.Field{Name: name, Value: value} }

// Head is the head of a request as it should be, with more fields behind.
func Head(method, host, path string, more ...history.Field) []history.Field {
	return append([]history.Field{
		F(":method", method), F(":scheme", "https"), F(":authority", host), F(":path", path), F("x-op-id", OpMark),
	}, more...)
}

// A Stream is a request and its answer.
type Stream struct {
	c  *Conn
	id uint32
	op history.Op

	// The lock of the connection is needed.
	window  int64 // for what we send
	room    int64 // for what the peer sends
	interim []int
	status  int
	header  http1.Fields
	body    []byte
	trailer http1.Fields
	ended   bool
	reset   *http2.ErrCode
}

// ID is that of the op.
func (s *Stream) ID() string { return s.op.ID }

// Number is that of the stream.
func (s *Stream) Number() uint32 { return s.id }

// Send begins a request with these fields in this order, with OpMark replaced, and
// nothing behind them when it ends. Its op is recorded by Answer, which should follow.
func (c *Conn) Send(fields []history.Field, end bool) *Stream {
	var s *Stream
	_ = c.Write(func(fr *http2.Framer) error { // a peer that has gone shows in the answer
		s = c.open(fields)
		return c.headers(fr, s.id, s.marked(fields), end)
	})
	return s
}

// SendAll sends several requests without bodies in one piece.
func (c *Conn) SendAll(heads ...[]history.Field) []*Stream {
	var all []*Stream
	_ = c.Write(func(fr *http2.Framer) error {
		for _, h := range heads {
			s := c.open(h)
			all = append(all, s)
			if err := c.headers(fr, s.id, s.marked(h), true); err != nil {
				return err
			}
		}
		return nil
	})
	return all
}

// GivenUp writes a request without a body and its reset behind it, of which no op is
// recorded.
func (c *Conn) GivenUp(fr *http2.Framer, head []history.Field) error {
	s := c.open(head)
	if err := c.headers(fr, s.id, s.marked(head), true); err != nil {
		return err
	}
	return fr.WriteRSTStream(s.id, http2.ErrCodeCancel)
}

// Begin writes the beginning of a head that is to be continued, of which no op is
// recorded.
func (c *Conn) Begin(fr *http2.Framer, head []history.Field) error {
	s := c.open(head)
	b, err := c.encode(s.marked(head))
	if err != nil {
		return err
	}
	return fr.WriteHeaders(http2.HeadersFrameParam{StreamID: s.id, BlockFragment: b, EndStream: true})
}

// open makes a stream. Streams must be opened in the order of their numbers: the
// caller writes.
func (c *Conn) open(fields []history.Field) *Stream {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.rec.Now()
	s := &Stream{c: c, id: c.next, window: c.peer.window, room: int64(c.o.Window), op: history.Op{
		ID: fmt.Sprintf("%s-%d", c.prefix, c.sent+1), Stream: c.prefix, Client: c.client.Ref, Kind: "http", To: c.to, From: c.LocalAddr().String(),
		Intended: now, Sent: now, Conn: c.number<<32 | 1, Reused: c.sent,
	}}
	s.op.Request = described(s.marked(fields))
	c.next, c.sent, c.streams[s.id] = c.next+2, c.sent+1, s
	return s
}

func (s *Stream) marked(fields []history.Field) []history.Field {
	out := make([]history.Field, len(fields))
	for i, f := range fields {
		out[i] = F(f.Name, strings.ReplaceAll(f.Value, OpMark, s.op.ID))
	}
	return out
}

const maxDescribed = 200 // bytes of a strange text that go into the history

func described(fields []history.Field) history.Request {
	r := history.Request{Proto: "HTTP/2.0"}
	for _, f := range fields {
		text := f.Value[:min(len(f.Value), maxDescribed)]
		switch f.Name {
		case ":method":
			r.Method = text
		case ":path":
			r.Target = text
		case ":authority":
			r.Host = text
		default:
			r.Header = append(r.Header, F(f.Name, text))
		}
	}
	return r
}

// headers writes a field section, in as many frames as it needs.
func (c *Conn) headers(fr *http2.Framer, id uint32, fields []history.Field, end bool) error {
	b, err := c.encode(fields)
	if err != nil {
		return err
	}
	first := b[:min(len(b), maxFrame)]
	b = b[len(first):]
	if err := fr.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: first, EndStream: end, EndHeaders: len(b) == 0}); err != nil {
		return err
	}
	for len(b) > 0 {
		part := b[:min(len(b), maxFrame)]
		b = b[len(part):]
		if err := fr.WriteContinuation(id, len(b) == 0, part); err != nil {
			return err
		}
	}
	return nil
}

func (c *Conn) encode(fields []history.Field) ([]byte, error) {
	c.block.Reset()
	for _, f := range fields {
		if err := c.enc.WriteField(hpack.HeaderField{Name: f.Name, Value: f.Value}); err != nil {
			return nil, err
		}
	}
	return c.block.Bytes(), nil
}

// Data sends a part of the body as the windows let it. It returns false when they do
// not open within Patience, or the stream or the connection has ended.
func (s *Stream) Data(ctx context.Context, b []byte, end bool) bool {
	for {
		n := s.claim(ctx, len(b))
		if n < 0 || s.Frame(b[:n], end && n == len(b)) != nil {
			return false
		}
		if b = b[n:]; len(b) == 0 {
			return true
		}
	}
}

// claim takes room from the windows; below zero: there is none.
func (s *Stream) claim(ctx context.Context, want int) int {
	c, n, off := s.c, 0, false
	if want == 0 {
		return 0
	}
	c.Until(ctx, func() bool {
		off = s.reset != nil
		n = int(min(int64(want), maxFrame, s.window, c.window))
		if n > 0 && !off {
			s.window, c.window = s.window-int64(n), c.window-int64(n)
		}
		return n > 0 || off
	})
	if n <= 0 || off {
		return -1
	}
	return n
}

// Frame sends one frame of DATA, whatever windows say.
func (s *Stream) Frame(b []byte, end bool) error {
	return s.c.Write(func(fr *http2.Framer) error { return fr.WriteData(s.id, end, b) })
}

// Trailers ends the request with them.
func (s *Stream) Trailers(fields ...history.Field) {
	_ = s.c.Write(func(fr *http2.Framer) error { return s.c.headers(fr, s.id, fields, true) })
}

// Reset gives the request up.
func (s *Stream) Reset() {
	_ = s.c.Write(func(fr *http2.Framer) error { return fr.WriteRSTStream(s.id, http2.ErrCodeCancel) })
}

// Allow lets the peer send so many bytes more of the answer.
func (s *Stream) Allow(n uint32) {
	s.c.mu.Lock()
	s.room += int64(n)
	s.c.mu.Unlock()
	_ = s.c.Write(func(fr *http2.Framer) error { return fr.WriteWindowUpdate(s.id, n) })
}

// Got waits until so many bytes of the answer's body have come.
func (s *Stream) Got(ctx context.Context, bytes int) bool {
	return s.c.Until(ctx, func() bool { return len(s.body) >= bytes })
}

// Begun waits for the head of the answer.
func (s *Stream) Begun(ctx context.Context) bool {
	return s.c.Until(ctx, func() bool { return s.status != 0 })
}

// Received is how many bytes of the answer's body have come.
func (s *Stream) Received() int {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	return len(s.body)
}

// NotBegun says whether the peer has said that it has not begun with the request: the
// client may repeat it (RFC 9113 8.7).
func (s *Stream) NotBegun() bool {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	if s.reset != nil && *s.reset == http2.ErrCodeRefusedStream {
		return true
	}
	n := len(s.c.away)
	return n > 0 && s.c.away[n-1].Last < s.id
}

// A Result is a recorded op with its answer.
type Result struct {
	Op              history.Op
	Status          int // 0: no head came
	Interim         []int
	Header, Trailer http1.Fields
	Body            []byte
	Whole           bool           // the answer came to its end
	Reset           *http2.ErrCode // the stream was reset; also behind a whole answer
	Err             error          // why there is no whole answer
}

var (
	errSilent = errors.New("neither an answer nor an end of the stream")
	errReset  = errors.New("the stream was reset")
)

// Answer waits for the end of the answer, of the stream, or of the connection, and
// records the op.
func (s *Stream) Answer(ctx context.Context) Result {
	c := s.c
	ended := c.Until(ctx, func() bool { return s.ended || s.reset != nil })
	c.mu.Lock()
	r := Result{
		Op: s.op, Status: s.status, Interim: s.interim, Header: s.header, Trailer: s.trailer, Body: s.body, Whole: s.ended, Reset: s.reset,
	}
	switch {
	case r.Whole:
	case ended:
		r.Err = fmt.Errorf("%w: %s", errReset, *s.reset)
	case c.gone != nil:
		r.Err = c.gone
	case ctx.Err() != nil:
		r.Err = ctx.Err()
	default:
		r.Err = errSilent
	}
	c.mu.Unlock()
	r.Op.Returned = c.rec.Now()
	r.finish()
	c.rec.Op(r.Op)
	return r
}

// finish says in the op how it ended.
func (r *Result) finish() {
	if !r.Whole {
		r.Op.Outcome, r.Op.Class = traffic.Classify(r.Err, true)
		r.Op.Error = r.Err.Error()
		return
	}
	reply := r.reply()
	r.Op.Outcome, r.Op.Class, r.Op.Error = reply.Outcome(r.Op.ID)
	r.Op.Response = &history.Response{
		Status: r.Status, Backend: topology.Ref(r.Header.Get(echo.HeaderBackend)), Header: r.Header, BodyLen: reply.Length, BodySum: reply.Sum,
	}
}

func (r *Result) reply() *traffic.Reply {
	out := &traffic.Reply{Status: r.Status, Header: r.Header, Body: r.Body, Length: int64(len(r.Body))}
	if len(r.Body) > 0 {
		out.Sum = history.Sum(sha256.Sum256(r.Body))
	}
	return out
}

// Mine says whether a backend answered this very request, to its end.
func (r Result) Mine() bool {
	return r.Whole && r.Header.Get(echo.HeaderBackend) != "" && r.Header.Get(echo.HeaderOp) == r.Op.ID
}

// Served says whether a backend answered it with 200.
func (r Result) Served() bool { return r.Mine() && r.Status == http.StatusOK }

// Silent says that nothing came at all, although it could have.
func (r Result) Silent() bool { return errors.Is(r.Err, errSilent) }

// Refused says whether it was turned down: by an answer of the gateway itself from 400
// on, by a reset of the stream, or by the end of the connection.
func (r Result) Refused() bool {
	if !r.Whole {
		return !r.Silent() && r.Header.Get(echo.HeaderBackend) == ""
	}
	return r.Status >= 400 && r.Header.Get(echo.HeaderBackend) == ""
}

// String is what came in a few words.
func (r Result) String() string {
	switch {
	case !r.Whole && r.Status != 0:
		return fmt.Sprintf("%d, cut after %d bytes: %v", r.Status, len(r.Body), r.Err)
	case !r.Whole:
		return "no answer: " + r.Err.Error()
	case r.Mine():
		return fmt.Sprintf("%d from the backend with %d bytes", r.Status, len(r.Body))
	case r.Header.Get(echo.HeaderBackend) != "":
		return fmt.Sprintf("%d, the backend's answer to %q with body %.80q", r.Status, r.Header.Get(echo.HeaderOp), r.Body)
	}
	return fmt.Sprintf("%d from the gateway itself", r.Status)
}
