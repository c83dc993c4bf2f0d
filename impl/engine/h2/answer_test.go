package h2

import (
	"fmt"
	"strings"
	"testing"

	"golang.org/x/net/http2"

	"github.com/unilb/unilb/impl/exchange"
)

// answers has one request answered by f and returns what is sent.
func answers(t *testing.T, f func(*Stream)) []string {
	t.Helper()
	m, w := greeted(Options{})
	m.handle = func(s *Stream, _ *exchange.Exchange, _ Head) { f(s) }
	m.feed(w.headers(1, true, get...).take())
	if m.err != nil {
		t.Fatal(m.err)
	}
	return m.sent()
}

func fields(lines ...string) (f exchange.Fields) {
	for _, l := range lines {
		name, value, _ := strings.Cut(l, ": ")
		f = append(f, exchange.Field{Name: name, Value: value})
	}
	return f
}

func TestFieldsOfAnswers(t *testing.T) {
	var edits exchange.Edits
	edits.Remove("x-gone")
	edits.Set("Server", "us")
	edits.Set("connection", "close")
	edits.Add("X-Added", "a\r\nb: c")
	edits.Add("no token", "x")
	edits.Set("X-Twice", "1")
	edits.Set("X-TWICE", "2")
	edits.Set("Content-Length", "7")
	in := fields("Content-Type: text/html", "SERVER: them", "X-Gone: 1", "Connection: x", "Keep-Alive: 5", "Proxy-Connection: x", "Transfer-Encoding: chunked", "Upgrade: h2c",
		"Content-Length: 99", "Trailer: y", "TE: trailers", "Set-Cookie: a=1", "Set-Cookie: b=2", ": empty", "x-blank:  y\t", "X-A-Name-That-Is-Longer-Than-Thirty-Two-Bytes: 1", "x-nul: a\x00b")
	got := answers(t, func(s *Stream) {
		s.Answer(200, in, edits, Answer{Length: 5, Date: "now", Trailer: fields("X-Sum", "Host", "no token", "X-Other")})
	})
	same(t, "frames", got, "headers 1 [:status: 200, content-type: text/html, set-cookie: a=1, set-cookie: b=2, x-blank: y, x-a-name-that-is-longer-than-thirty-two-bytes: 1, "+
		"x-nul: a b, server: us, x-added: a  b: c, x-twice: 2, content-length: 5, date: now, trailer: X-Sum, X-Other]")
}

func TestDateIsAddedWhereThereIsNone(t *testing.T) {
	var edits exchange.Edits
	edits.Set("Date", "mine")
	for want, f := range map[string]func(*Stream){
		"headers 1 [:status: 204, date: now] end":         func(s *Stream) { s.Answer(204, nil, nil, Answer{Length: 5, End: true, Date: "now"}) },
		"headers 1 [:status: 204, date: then] end":        func(s *Stream) { s.Answer(204, fields("DATE: then"), nil, Answer{End: true, Date: "now"}) },
		"headers 1 [:status: 204, date: mine] end":        func(s *Stream) { s.Answer(204, fields("Date: then"), edits, Answer{End: true, Date: "now"}) },
		"headers 1 [:status: 304, content-length: 9] end": func(s *Stream) { s.Answer(304, nil, nil, Answer{Length: 9, End: true}) },
		"headers 1 [:status: 200] end":                    func(s *Stream) { s.Answer(200, nil, nil, Answer{Length: NoLength, End: true}) },
	} {
		same(t, "frames", answers(t, f), want)
	}
}

func TestEachStatusIsWritten(t *testing.T) {
	for _, status := range []int{200, 204, 206, 304, 400, 404, 500, 201, 302, 503, 999} {
		same(t, "frames", answers(t, func(s *Stream) { s.Answer(status, nil, nil, Answer{Length: NoLength, End: true}) }), fmt.Sprintf("headers 1 [:status: %d] end", status))
	}
}

func TestInterimAnswersComeBeforeTheHead(t *testing.T) {
	got := answers(t, func(s *Stream) {
		s.Interim(100, nil, nil)
		s.Interim(101, nil, nil)
		s.Interim(200, nil, nil)
		s.Interim(103, fields("Link: </x>", "Connection: x"), nil)
		s.Data([]byte("too early"), true)
		s.End(nil)
		s.Answer(200, nil, nil, Answer{Length: 1})
		s.Answer(200, nil, nil, Answer{Length: 1})
		s.Interim(103, nil, nil)
		s.Data([]byte("x"), true)
	})
	same(t, "frames", got, "headers 1 [:status: 100]", "headers 1 [:status: 103, link: </x>]", "headers 1 [:status: 200, content-length: 1]", "data 1 1 bytes end")
}

func TestAnswerEndsWithTrailers(t *testing.T) {
	for name, c := range map[string]struct {
		trailers exchange.Fields
		want     string
	}{
		"some":         {fields("Grpc-Status: 0", "Grpc-Message: ", "Content-Length: 5", "Host: a", "Upgrade: x", "no token: 1"), "headers 1 [grpc-status: 0, grpc-message: ] end"},
		"none":         {nil, "data 1 0 bytes end"},
		"none is left": {fields("Trailer: x"), "data 1 0 bytes end"},
	} {
		got := answers(t, func(s *Stream) {
			s.Answer(200, nil, nil, Answer{Length: NoLength})
			s.Data([]byte("body"), false)
			s.End(c.trailers)
			s.End(c.trailers)
		})
		same(t, name, got, "headers 1 [:status: 200]", "data 1 4 bytes", c.want)
	}
}

func TestLargeBodiesGoInFrames(t *testing.T) {
	got := answers(t, func(s *Stream) {
		s.Answer(200, nil, nil, Answer{Length: 40000})
		if n := s.Data(make([]byte, 40000), true); n != 40000 {
			t.Errorf("got %d taken", n)
		}
	})
	same(t, "frames", got, "headers 1 [:status: 200, content-length: 40000]", "data 1 16384 bytes", "data 1 16384 bytes", "data 1 7232 bytes end")
}

func TestLargeHeadsGoOnInContinuation(t *testing.T) {
	sizes := []int{32768, 50000, 100000}
	for n := frameSize - 40; n < frameSize+10; n++ { // about the largest block of one frame
		sizes = append(sizes, n, n+frameSize)
	}
	for _, n := range sizes {
		value := strings.Repeat("v", n)
		got := answers(t, func(s *Stream) { s.Answer(200, fields("x: "+value), nil, Answer{Length: 3, End: true}) })
		same(t, "frames", got, "headers 1 [:status: 200, x: "+value+", content-length: 3] end")
	}
}

func TestRepeatedFieldsTakeOneByte(t *testing.T) {
	m, w := greeted(Options{})
	size := 0
	m.handle = func(s *Stream, _ *exchange.Exchange, _ Head) {
		before := len(m.out)
		s.Answer(200, fields("Server: us", "Content-Type: text/plain; charset=utf-8", "Vary: "+fmt.Sprint(s.ID()%64), "ETag: abc"), nil, Answer{Length: 5, End: true, Date: fmt.Sprint(s.ID() / 100)})
		size = len(m.out) - before
	}
	for id := uint32(1); id < 2000; id += 2 { // entries come, are evicted from what we remember, and come again
		m.feed(w.headers(id, true, get...).take())
		want := fmt.Sprintf("headers %d [:status: 200, server: us, content-type: text/plain; charset=utf-8, vary: %d, etag: abc, content-length: 5, date: %d] end", id, id%64, id/100)
		same(t, "frames", m.sent(), want)
	}
	m.feed(w.headers(2001, true, get...).take())
	before := size
	m.feed(w.headers(2001+64, true, get...).take())
	if want := headerSize + 4 + 6 + 4 + 1; size != want {
		t.Errorf("got %d bytes, then %d, want %d at last", before, size, want)
	}
}

func TestLongValuesAreNotRemembered(t *testing.T) {
	m, w := greeted(Options{})
	for i, n := range []int{80, 64, 80, 64, 65} {
		value := strings.Repeat("a", n)
		m.handle = func(s *Stream, _ *exchange.Exchange, _ Head) {
			s.Answer(200, fields("Vary: "+value), nil, Answer{Length: NoLength, End: true})
		}
		m.feed(w.headers(uint32(2*i+1), true, get...).take())
		same(t, "frames", m.sent(), fmt.Sprintf("headers %d [:status: 200, vary: %s] end", 2*i+1, value))
	}
}

func TestClientWithoutATableGetsNone(t *testing.T) {
	m, w := newMachine(Options{}), newWire()
	m.frames.ReadMetaHeaders.SetAllowedMaxDynamicTableSize(100)
	m.handle = func(s *Stream, _ *exchange.Exchange, _ Head) {
		s.Answer(200, fields("Server: us", "Vary: x"), nil, Answer{Length: NoLength, End: true})
	}
	want := "[:status: 200, server: us, vary: x] end"
	m.feed(w.greet().headers(1, true, get...).headers(3, true, get...).take())
	got := m.sent()
	same(t, "with a table", got[len(got)-2:], "headers 1 "+want, "headers 3 "+want)
	must(w.f.WriteSettings(http2.Setting{ID: http2.SettingHeaderTableSize, Val: 100}, http2.Setting{ID: http2.SettingHeaderTableSize, Val: 1 << 20}))
	m.feed(w.headers(5, true, get...).take())
	if got := m.out[2*headerSize]; got != 0x20 {
		t.Errorf("the first block begins with %#x, want a table of 0 bytes", got)
	}
	same(t, "without", m.sent(), "settings ack", "headers 5 "+want)
	m.feed(w.headers(7, true, get...).take())
	if got := m.out[headerSize]; got != 0x80|index200 {
		t.Errorf("the next block begins with %#x", got)
	}
	same(t, "without", m.sent(), "headers 7 "+want)
}
