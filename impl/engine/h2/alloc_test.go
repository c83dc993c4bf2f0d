package h2

import (
	"strings"
	"testing"

	"github.com/unilb/unilb/impl/exchange"
)

// still is an owner that takes no memory: it answers every request that is whole.
type still struct {
	c      *Conn
	out    []byte
	x      exchange.Exchange
	fields exchange.Fields
	edits  exchange.Edits
	body   []byte
	done   int
}

func newStill(t testing.TB) *still {
	o := &still{out: make([]byte, 0, 64<<10), fields: fields("Content-Type: text/plain; charset=utf-8", "X-Request-Id: 0123456789", "Set-Cookie: sid=1; Path=/"), body: make([]byte, 128)}
	o.edits.Remove("Connection")
	o.edits.Set("Server", "unilb")
	o.c = New(Options{}).Conn(o, o)
	o.feed(t, newWire().greet().take())
	return o
}

func (o *still) feed(t testing.TB, b []byte) {
	o.out = o.out[:0]
	if n, err := o.c.Feed(0, b); err != nil || n != len(b) {
		t.Fatalf("got %d of %d, %v", n, len(b), err)
	}
}

func (o *still) Room() []byte  { return o.out }
func (o *still) Take(b []byte) { o.out = b }
func (o *still) Waiting() int  { return len(o.out) }

func (o *still) Open(*Stream) *exchange.Exchange {
	o.x.Reset(0, nil)
	return &o.x
}

func (o *still) Request(s *Stream, h Head) {
	if h.End {
		o.answer(s)
	}
}

func (o *still) answer(s *Stream) {
	o.done++
	s.Answer(200, o.fields, o.edits, Answer{Length: int64(len(o.body)), Date: "Tue, 01 Jan 2030 00:00:00 GMT"})
	s.Data(o.body, true)
}

func (o *still) Data(s *Stream, b []byte, end bool) {
	s.Consumed(len(b))
	if end {
		o.answer(s)
	}
}

func (o *still) Trailers(s *Stream, _ exchange.Fields) {
	s.Answer(200, o.fields, o.edits, Answer{Length: NoLength})
	s.Data(o.body, false)
	s.End(o.fields)
	o.done++
}

func (o *still) Refuse(*Stream, Reason) {}
func (o *still) Reset(*Stream, Error)   {}
func (o *still) Writable(*Stream)       {}

// renumber gives the frames of b the streams from id on, one for each of its own.
func renumber(b []byte, id uint32) {
	first := uint32(0)
	for at := 0; at < len(b); {
		h, begin := readHeader(b[at:]), at
		at += headerSize + h.length
		if h.stream == 0 {
			continue
		}
		if first == 0 {
			first = h.stream
		}
		appendHeader(b[:begin], h.length, h.kind, h.flags, id+h.stream-first)
	}
}

// small is a request as load generators send it: its path as a literal that is not
// remembered, all else from the table.
func small(w *wire) []byte {
	block := append(w.encode(":method: GET", ":scheme: http"), appendNumber(nil, 0, 4, 4)...)
	block = huffman(block, "/api/v1/items/123?x=1")
	return framed(1, true, append(block, w.encode(":authority: www.example.com:8080", "user-agent: h2load nghttp2/1.52.0")...))
}

var browserLines = []string{":method: GET", ":authority: www.example.com", ":scheme: https", ":path: /api/v1/items/123?x=1", "cache-control: max-age=0",
	"sec-ch-ua: \"Chromium\";v=\"124\", \"Google Chrome\";v=\"124\"", "user-agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36",
	"accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8", "accept-encoding: gzip, deflate, br", "accept-language: en-US,en;q=0.9,de;q=0.8",
	"cookie: sid=0123456789abcdef0123456789abcdef", "cookie: theme=dark", "cookie: _ga=GA1.1.1234567890.1700000000", "if-none-match: \"abcdef\""}

// once feeds the path b, with a new stream at each call.
func (o *still) once(t testing.TB, b []byte) func() {
	id := uint32(1001)
	return func() {
		renumber(b, id)
		id += 2
		o.c.send = 1 << 20
		o.feed(t, b)
	}
}

// A path is what a client says once, on stream 1, and then again and again.
type path struct{ first, again []byte }

func paths() map[string]path {
	twice := func(f func(w *wire) []byte) path {
		w := newWire()
		return path{f(w), f(w)}
	}
	return map[string]path{
		"small":    twice(small),
		"browser":  twice(func(w *wire) []byte { return framed(1, true, w.encode(browserLines...)) }),
		"literals": twice(func(*wire) []byte { return framed(1, true, unindexed(browserLines)) }),
		"body": twice(func(w *wire) []byte {
			return w.headers(1, false, append(post, "content-length: 10")...).data(1, false, "hello").data(1, true, "world").take()
		}),
		"trailers": twice(func(w *wire) []byte {
			b := append(framed(1, false, w.encode(post...)), framed(1, true, unindexed([]string{"x-sum: " + strings.Repeat("1", 5000)}))...)
			return append(b, w.raw(kindPing, 0, 0, "12345678").window(0, 200).take()...)
		}),
	}
}

// TestNothingIsAllocatedForARequest is the gate of the request path: once slices and
// tables have grown, requests with bodies and trailers, and their answers, take no
// memory.
func TestNothingIsAllocatedForARequest(t *testing.T) {
	for name, p := range paths() {
		o := newStill(t)
		o.feed(t, p.first)
		once := o.once(t, p.again)
		once()
		before := o.done
		if n := testing.AllocsPerRun(300, once); n != 0 && !raceEnabled {
			t.Errorf("%s: got %v allocations, want 0", name, n)
		}
		if o.done != before+301 {
			t.Errorf("%s: got %d answers, want 301", name, o.done-before)
		}
	}
}
