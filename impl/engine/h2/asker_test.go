package h2

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

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

func (m *caller) Room() []byte  { return m.out }
func (m *caller) Take(b []byte) { m.out = b }
func (m *caller) Waiting() int  { return len(m.out) + m.waiting }

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

func TestRequestIsWrittenAsHTTP2WantsIt(t *testing.T) {
	m := newCaller(Options{})
	if !bytes.HasPrefix(m.out, []byte(Preface)) {
		t.Fatalf("the connection begins with %q", m.out)
	}
	same(t, "first frames", m.sent(), "settings 3", "window 0 33488897")
	x := asking("PATCH", "/a b?c=\x01", "Shop.Example:81", "Accept: */*", "X-Odd: a\x01b ", "Host: other", "Connection: X-Named", "Keep-Alive: 5", "Upgrade: x", "Proxy-Connection: y",
		"Transfer-Encoding: chunked", "Content-Length: 7", "TE: gzip, Trailers;q=0.5, trailers", "Cookie: a=b", "Trailer: X-No", "X-Gone: 1", "X-Set: old")
	x.RequestEdits.Remove("x-gone")
	x.RequestEdits.Set("X-Set", "new")
	x.RequestEdits.Set("Host", "evil")
	x.RequestEdits.Add("TE", "gzip")
	s := m.c.Request(x, Ask{Scheme: "https", Length: NoLength, Trailer: fields("X-Sum: ", "Host: ")})
	if s == nil || s.ID() != 1 {
		t.Fatalf("got %+v, want stream 1", s)
	}
	same(t, "request", m.sent(), "headers 1 [:method: PATCH, :scheme: https, :authority: Shop.Example:81, :path: /a%20b?c=%01, accept: */*, x-odd: a b, cookie: a=b, x-set: new, te: trailers, trailer: X-Sum]")
	m.ask()
	m.c.Request(asking("POST", "/x", ""), Ask{Scheme: "http", Length: 5})
	same(t, "others", m.sent(), "headers 3 [:method: GET, :scheme: http, :authority: a.example, :path: /] end", "headers 5 [:method: POST, :scheme: http, :path: /x, content-length: 5]")
}

func TestAnswersAreToldOf(t *testing.T) {
	m, w := standing(Options{})
	for range 4 {
		m.ask()
	}
	up := m.upload()
	if n := up.Data([]byte("hello"), false); n != 5 {
		t.Fatalf("took %d bytes of the body", n)
	}
	up.End(fields("X-Sum: 9", "Content-Length: 3"))
	m.sent()
	w.headers(1, false, ":status: 103", "link: </a>").headers(1, false, status200, "content-length: 3", "x-a: b", "set-cookie: 1", "set-cookie: 2", "trailer: x-t")
	w.data(1, false, "ab").data(1, true, "c")
	w.headers(3, true, status200, "grpc-status: 5")
	w.headers(5, false, status200).data(5, false, "m").headers(5, true, "grpc-status: 0", "content-type: x")
	w.headers(7, true, ":status: 204").headers(9, false, ":status: 599").data(9, true, "")
	m.feed(w.take())
	same(t, "told", m.log, `interim 1: 103 [{"link" "</a>"}]`,
		`answer 1: 200 [{"x-a" "b"} {"set-cookie" "1"} {"set-cookie" "2"}] length 3 of 3 end false trailer "x-t"`, "data 1 abc end",
		`answer 3: 200 [{"grpc-status" "5"}] length 0 of -1 end true trailer ""`,
		`answer 5: 200 [] length -1 of -1 end false trailer ""`, "data 5 m", `trailers 5 [{"grpc-status" "0"}]`,
		`answer 7: 204 [] length 0 of -1 end true trailer ""`, `answer 9: 599 [] length -1 of -1 end false trailer ""`, "data 9  end")
	if m.err != nil || m.c.Streams() != 0 || m.c.Done() {
		t.Errorf("%v, %d streams, done %v", m.err, m.c.Streams(), m.c.Done())
	}
	same(t, "sent", m.sent())
}

func TestAnswersToHEADHaveNoBody(t *testing.T) {
	m, w := standing(Options{})
	head := func() { m.c.Request(asking("HEAD", "/", "a"), Ask{Length: NoLength, End: true}) }
	head()
	head()
	m.ask()
	w.headers(1, true, status200, "content-length: 10").headers(3, false, status200, "content-length: 10").data(3, false, "x")
	w.headers(5, false, ":status: 304", "content-length: 10").data(5, true, "")
	m.feed(w.take())
	same(t, "told", m.log, `answer 1: 200 [] length 10 of 10 end true trailer ""`, `answer 3: 200 [] length 10 of 10 end false trailer ""`,
		"reset 3: length_differs PROTOCOL_ERROR untouched false", `answer 5: 304 [] length 0 of 10 end false trailer ""`, "data 5  end")
}

// TestMalformedAnswersEndTheirStream has a row for each rule of RFC 9113, 8.1 to 8.3,
// about answers.
func TestMalformedAnswersEndTheirStream(t *testing.T) {
	for name, c := range map[string]struct {
		want Reason
		say  func(w *wire)
	}{
		"no status":                 {ReasonPseudoMissing, func(w *wire) { w.headers(1, true, "x: y") }},
		"a status of two digits":    {ReasonStatus, func(w *wire) { w.headers(1, true, ":status: 20") }},
		"a status of four digits":   {ReasonStatus, func(w *wire) { w.headers(1, true, ":status: 2000") }},
		"a status that is no digit": {ReasonStatus, func(w *wire) { w.headers(1, true, ":status: 2x0") }},
		"a status below 100":        {ReasonStatus, func(w *wire) { w.headers(1, true, ":status: 099") }},
		"101":                       {ReasonStatus, func(w *wire) { w.headers(1, false, ":status: 101") }},
		"two statuses":              {ReasonPseudoRepeated, func(w *wire) { w.headers(1, true, status200, status200) }},
		"a status behind fields":    {ReasonPseudoOrder, func(w *wire) { w.headers(1, true, "x: y", status200) }},
		"a path":                    {ReasonPseudo, func(w *wire) { w.headers(1, true, status200, ":path: /") }},
		"an unknown pseudo field":   {ReasonPseudo, func(w *wire) { w.headers(1, true, status200, ":x: /") }},
		"a name in capitals":        {ReasonUpperCase, func(w *wire) { w.headers(1, true, status200, "X-A: b") }},
		"a name with a blank":       {ReasonName, func(w *wire) { w.headers(1, true, status200, "x a: b") }},
		"a control byte":            {ReasonControl, func(w *wire) { w.headers(1, true, status200, "x: a\nb") }},
		"a value with a blank":      {ReasonBlank, func(w *wire) { w.headers(1, true, status200, "x:  b") }},
		"connection":                {ReasonConnection, func(w *wire) { w.headers(1, true, status200, "connection: close") }},
		"transfer-encoding":         {ReasonConnection, func(w *wire) { w.headers(1, true, status200, "transfer-encoding: chunked") }},
		"te":                        {ReasonConnection, func(w *wire) { w.headers(1, true, status200, "te: trailers") }},
		"no number as length":       {ReasonLength, func(w *wire) { w.headers(1, true, status200, "content-length: 1x") }},
		"two lengths":               {ReasonLengthRepeated, func(w *wire) { w.headers(1, true, status200, "content-length: 0", "content-length: 0") }},
		"less than its length":      {ReasonLengthDiffers, func(w *wire) { w.headers(1, false, status200, "content-length: 3").data(1, true, "ab") }},
		"more than its length":      {ReasonLengthDiffers, func(w *wire) { w.headers(1, false, status200, "content-length: 3").data(1, false, "abcd") }},
		"a length without a body":   {ReasonLengthDiffers, func(w *wire) { w.headers(1, true, status200, "content-length: 3") }},
		"trailers before its length": {ReasonLengthDiffers, func(w *wire) {
			w.headers(1, false, status200, "content-length: 3").data(1, false, "ab").headers(1, true, "x: y")
		}},
		"a body of 204":              {ReasonLengthDiffers, func(w *wire) { w.headers(1, false, ":status: 204").data(1, true, "x") }},
		"an interim answer as end":   {ReasonHeadMissing, func(w *wire) { w.headers(1, true, ":status: 103") }},
		"a body before the head":     {ReasonHeadMissing, func(w *wire) { w.data(1, true, "x") }},
		"a body behind 1xx":          {ReasonHeadMissing, func(w *wire) { w.headers(1, false, ":status: 100").data(1, false, "x") }},
		"trailers that end nothing":  {ReasonTrailers, func(w *wire) { w.headers(1, false, status200).headers(1, false, "x: y") }},
		"a status among trailers":    {ReasonPseudo, func(w *wire) { w.headers(1, false, status200).headers(1, true, status200) }},
		"connection among trailers":  {ReasonConnection, func(w *wire) { w.headers(1, false, status200).headers(1, true, "connection: x") }},
		"trailer that frames":        {ReasonTrailer, func(w *wire) { w.headers(1, false, status200, "trailer: content-length") }},
		"a head that is too long":    {ReasonHeadTooLong, func(w *wire) { w.headers(1, true, status200, "x: "+strings.Repeat("y", 16_000)) }},
		"a WINDOW_UPDATE by nothing": {ReasonIncrement, func(w *wire) { w.window(1, 0) }},
		"a window beyond the end":    {ReasonWindow, func(w *wire) { w.window(1, maxWindow) }},
		"itself it depends on": {ReasonDependency, func(w *wire) {
			w.raw(kindHeaders, flagEndHeaders|flagPriority, 1, "\x00\x00\x00\x01\x10"+string(w.encode(status200)))
		}},
	} {
		o := Options{}
		if c.want == ReasonHeadTooLong {
			o.MaxHead = 16_000
		}
		m, w := standing(o)
		s := m.upload()
		m.ask()
		m.sent()
		c.say(w)
		m.feed(w.take())
		want := fmt.Sprintf("reset 1: %s %s untouched false", c.want, c.want.Code())
		if len(m.log) == 0 || m.log[len(m.log)-1] != want || m.err != nil {
			t.Errorf("%s: told %q, %v, want %q", name, m.log, m.err, want)
		}
		if sent := m.sent(); !slices.Contains(sent, fmt.Sprintf("reset 1 %v", http2.ErrCode(c.want.Code()))) {
			t.Errorf("%s: sent %q", name, sent)
		}
		if s.Conn() != nil {
			t.Errorf("%s: the stream lives on", name)
		}
		// The other stream, and the connection, live.
		m.feed(w.headers(3, true, status200, "x-b: c").take())
		if last := m.log[len(m.log)-1]; last != `answer 3: 200 [{"x-b" "c"}] length 0 of -1 end true trailer ""` {
			t.Errorf("%s: the next stream: %q, %v", name, last, m.err)
		}
	}
}

// TestBrokenTargetsEndTheConnection has a row for each rule whose breach is an error of
// the connection.
func TestBrokenTargetsEndTheConnection(t *testing.T) {
	for name, c := range map[string]struct {
		want Reason
		say  func(w *wire)
	}{
		"a push":                  {ReasonPush, func(w *wire) { w.raw(kindPush, flagEndHeaders, 1, "\x00\x00\x00\x02"+string(w.encode(get...))) }},
		"SETTINGS with push":      {ReasonSettings, func(w *wire) { must(w.f.WriteSettings(http2.Setting{ID: http2.SettingEnablePush, Val: 1})) }},
		"a stream of its own":     {ReasonStreamID, func(w *wire) { w.headers(2, true, status200) }},
		"a stream of nobody":      {ReasonStreamID, func(w *wire) { w.headers(5, true, status200) }},
		"data of nobody":          {ReasonStreamID, func(w *wire) { w.data(5, true, "x") }},
		"a reset of nobody":       {ReasonStreamID, func(w *wire) { w.reset(5) }},
		"a window of nobody":      {ReasonStreamID, func(w *wire) { w.window(5, 1) }},
		"an answer behind itself": {ReasonClosed, func(w *wire) { w.headers(3, true, status200).headers(3, true, status200) }},
		"data behind its reset":   {ReasonClosed, func(w *wire) { w.reset(1).data(1, true, "x") }},
		"a broken block":          {ReasonCompression, func(w *wire) { w.raw(kindHeaders, flagEndHeaders, 1, "\xff\xff\xff\xff\xff\xff\xff") }},
		"an interrupted block":    {ReasonSequence, func(w *wire) { w.raw(kindHeaders, 0, 1, string(w.encode(status200))).window(0, 1) }},
		"CONTINUATION of nothing": {ReasonSequence, func(w *wire) { w.raw(kindContinuation, 0, 1, "") }},
		"a large frame":           {ReasonFrameSize, func(w *wire) { w.raw(kindData, 0, 1, strings.Repeat("x", frameSize+1)) }},
		"a broken GOAWAY":         {ReasonFrameSize, func(w *wire) { w.raw(kindGoAway, 0, 0, "1234") }},
		"GOAWAY on a stream":      {ReasonStreamID, func(w *wire) { w.raw(kindGoAway, 0, 1, "12345678") }},
		"too large a window":      {ReasonWindow, func(w *wire) { w.window(0, maxWindow) }},
		"more than the window":    {ReasonWindow, func(w *wire) { w.headers(1, false, status200); overrun(w, 1) }},
		"a header bomb":           {ReasonBlock, func(w *wire) { bomb(w, 1) }},
	} {
		m, w := standing(Options{StreamWindow: 1 << 20, ConnWindow: 64 << 10})
		m.onData = func(*Stream, []byte, bool) {} // nobody takes it
		m.upload()
		m.ask()
		m.sent()
		c.say(w)
		m.feed(w.take())
		if ReasonOf(m.err) != c.want {
			t.Errorf("%s: got %v, want %v; told %.200q", name, m.err, c.want, m.log)
		}
		sent := m.sent()
		if want := fmt.Sprintf("goaway 0 %v %s", http2.ErrCode(c.want.Code()), c.want); len(sent) == 0 || sent[len(sent)-1] != want {
			t.Errorf("%s: sent %q, want %q at the end", name, sent, want)
		}
		if !m.c.Done() || m.c.Slots() != 0 || m.c.Streams() != 0 {
			t.Errorf("%s: the connection lives on", name)
		}
	}
	m, w := newCaller(Options{}), newWire()
	if m.feed(w.headers(1, true, status200).take()); ReasonOf(m.err) != ReasonPreface {
		t.Errorf("no SETTINGS first: %v", m.err)
	}
	m = newCaller(Options{})
	if m.feed([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")); m.err == nil {
		t.Error("an answer of HTTP/1.1 is no error")
	}
}

func overrun(w *wire, id uint32) {
	for range 5 {
		w.data(id, false, strings.Repeat("x", frameSize))
	}
}

func bomb(w *wire, id uint32) {
	w.raw(kindHeaders, 0, id, string(w.encode(status200)))
	for range maxPieces + 1 {
		w.raw(kindContinuation, 0, id, "\x00\x01a\x01b")
	}
}

func TestFloodOfATargetEndsTheConnection(t *testing.T) {
	for name, then := range map[string]func(w *wire){
		"PING": func(w *wire) { w.raw(kindPing, 0, 0, "12345678") }, "SETTINGS": func(w *wire) { must(w.f.WriteSettings()) },
		"empty DATA": func(w *wire) { w.data(1, false, "") }, "unknown frames": func(w *wire) { w.raw(99, 0, 0, "") }, "windows": func(w *wire) { w.window(1, 1) },
		"GOAWAY": func(w *wire) { w.raw(kindGoAway, 0, 0, "\x00\x00\x00\x01\x00\x00\x00\x00") }, "1xx": func(w *wire) { w.headers(3, false, ":status: 103") },
		"padding": func(w *wire) { w.raw(kindData, flagPadded, 1, "\x02\x00\x00") },
	} {
		m, w := standing(Options{})
		m.upload()
		m.ask()
		m.feed(w.headers(1, false, status200).take())
		for range maxCalm + 10 {
			then(w)
			if m.feed(w.take()); m.err != nil {
				break
			}
			m.out = m.out[:0]
		}
		if ReasonOf(m.err) != ReasonFlood {
			t.Errorf("%s: got %v, want %v", name, m.err, ReasonFlood)
		}
	}
}

// TestMeasuringTargetIsNoFlood: gRPC sends a PING and a WINDOW_UPDATE for every part of
// a body.
func TestMeasuringTargetIsNoFlood(t *testing.T) {
	m, w := standing(Options{})
	s := m.upload()
	for i := range 3 * maxCalm {
		if n := s.Data([]byte("tiny"), false); n != 4 {
			t.Fatalf("message %d: took %d bytes", i, n)
		}
		m.feed(w.window(0, 4).window(1, 4).raw(kindPing, 0, 0, "12345678").take())
		if m.out = m.out[:0]; m.err != nil {
			t.Fatalf("after %d messages: %v", i, m.err)
		}
	}
}

// TestAnswersDieWithTheirCallback: what somebody keeps of them shows.
func TestAnswersDieWithTheirCallback(t *testing.T) {
	m, w := standing(Options{})
	m.ask()
	kept := ""
	m.onAnswer = func(s *Stream) { kept = s.x.Response.Fields[0].Value }
	w.Write(framed(1, true, unindexed([]string{status200, "x-a: value"})))
	if m.feed(w.take()); kept == "value" || len(kept) != len("value") {
		t.Errorf("a value lives on as %q", kept)
	}
}
