package h2

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/unilb/unilb/impl/engine/h1"
	"github.com/unilb/unilb/impl/exchange"
)

// TestRequestComesOutAsOfHTTP1 reads the same requests by both versions.
func TestRequestComesOutAsOfHTTP1(t *testing.T) {
	for _, c := range []struct {
		text  string
		lines []string
	}{
		{"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n", get},
		{"GET /a/../b%20c?x=%31&y HTTP/1.1\r\nHost: Shop.Example:8080\r\n\r\n", with(":path: /a/../b%20c?x=%31&y", ":authority: Shop.Example:8080")},
		{"GET //a?b?c HTTP/1.1\r\nHost: a.\r\n\r\n", with(":path: //a?b?c", ":authority: a.")},
		{"GET /? HTTP/1.1\r\nHost: a\r\n\r\n", with(":path: /?", ":authority: a")},
		{"GET /\xc3\xa9 HTTP/1.1\r\nHost: [2001:DB8::1]:80\r\n\r\n", with(":path: /\xc3\xa9", ":authority: [2001:DB8::1]:80")},
		{"GET / HTTP/1.1\r\nHost: b\r\nx: y\r\n\r\n", with(":authority: ", "host: b", "x: y")},
		{"GET / HTTP/1.1\r\nHost: a.example\r\nx: y\r\n\r\n", with("host: A.example:80", "x: y")},
		{"GET / HTTP/1.1\r\nHost: a.example\r\nx: y\r\n\r\n", with(":scheme: https", "host: a.example:443", "x: y")},
		{"PUT / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 0\r\nx: a\tb\r\nempty:\r\nx: 2\r\n\r\n", with(":method: PUT", "content-length: 0", "x: a\tb", "empty: ", "x: 2")},
		{"M-SEARCH / HTTP/1.1\r\nHost: a.example\r\nte: trailers\r\nexpect: 100-continue\r\n\r\n", with(":method: M-SEARCH", "te: trailers", "expect: 100-continue")},
		{"CONNECT A:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", []string{":method: CONNECT", ":authority: A:443"}},
		{"GET / HTTP/1.1\r\nHost: a.example\r\ncookie: a=1; b=2; c\r\nx: y\r\n\r\n", with("cookie: a=1", "x: y", "cookie: b=2", "cookie: c")},
		{"GET / HTTP/1.1\r\nHost: a.example\r\nx: y\r\ncookie: a=1; b=2\r\n\r\n", with("x: y", "cookie: a=1; b=2")},
	} {
		var want exchange.Exchange
		var f h1.Framing
		if err := h1.ParseRequest([]byte(c.text), &want.Request, &want.Arena, &f); err != nil {
			t.Fatalf("%q: %v", c.text, err)
		}
		want.Request.Proto, want.Request.Stable = exchange.HTTP2, true
		m, w := greeted(Options{})
		m.feed(w.headers(1, true, c.lines...).take())
		if m.err != nil || m.asked[1] == nil {
			t.Errorf("%q: got %q, %v", c.lines, m.log, m.err)
			continue
		}
		m.asked[1].Own() // it has nothing to do
		if got, want := untimed(&m.asked[1].Request), untimed(&want.Request); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// untimed is all of a request but its time, which is its exchange's.
func untimed(r *exchange.Request) string {
	text, _, _ := strings.Cut(fmt.Sprintf("%+v", *r), " At:")
	return text
}

func TestCookieInPiecesIsOneField(t *testing.T) {
	lines := append(with("a: 1"), slices.Repeat([]string{"cookie: x=y"}, 150)...)
	m, w := greeted(Options{})
	m.feed(w.headers(1, true, append(lines, "b: 2")...).take())
	want := exchange.Fields{{Name: "a", Value: "1"}, {Name: "cookie", Value: strings.Repeat("x=y; ", 149) + "x=y"}, {Name: "b", Value: "2"}}
	if got := m.asked[1].Request.Fields; m.err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v, want %q", got, m.err, want)
	}
}

func TestLengthOfBodies(t *testing.T) {
	for name, c := range map[string]struct {
		end   bool
		lines []string
		want  string
	}{
		"none":               {true, nil, `length 0 [] end true expect false trailer ""`},
		"announced":          {false, []string{"content-length: 5"}, `length 5 [] end false expect false trailer ""`},
		"not announced":      {false, nil, `length -1 [] end false expect false trailer ""`},
		"announced as none":  {false, []string{"content-length: 0"}, `length 0 [] end false expect false trailer ""`},
		"expected":           {false, []string{"expect: 100-Continue"}, `length -1 [{"expect" "100-Continue"}] end false expect true trailer ""`},
		"none, but expected": {true, []string{"expect: 100-continue"}, `length 0 [{"expect" "100-continue"}] end true expect false trailer ""`},
		"with trailers":      {false, []string{"trailer: x-sum, y", "trailer: z"}, `length -1 [] end false expect false trailer "x-sum, y"`},
	} {
		m, w := greeted(Options{})
		m.feed(w.headers(1, c.end, append(slices.Clone(post), c.lines...)...).take())
		if len(m.log) != 1 || !strings.HasSuffix(m.log[0], c.want) {
			t.Errorf("%s: got %q, want %s", name, m.log, c.want)
		}
	}
}

func TestBodyIsToldOfAsItComes(t *testing.T) {
	m, w := greeted(Options{})
	w.headers(1, false, append(slices.Clone(post), "content-length: 10")...).headers(3, false, post...)
	w.data(1, false, "hello").data(3, false, "x").data(1, false, "").raw(kindData, flagPadded, 1, "\x04worl\x00\x00\x00\x00").raw(kindData, flagPadded|flagEndStream, 1, "\x00d")
	w.data(3, true, "").headers(5, false, post...).headers(5, true, "x-sum: 1", "authorization: no", "x-other: ")
	m.feed(w.take())
	if m.err != nil {
		t.Fatal(m.err)
	}
	same(t, "events", slices.DeleteFunc(m.log, func(s string) bool { return strings.HasPrefix(s, "request") }),
		"data 1 hello", "data 3 x", "data 1 world end", "data 3  end", `trailers 5 [{"x-sum" "1"} {"x-other" ""}]`)
	if m.c.Streams() != 3 {
		t.Errorf("%d streams are open, want 3", m.c.Streams())
	}
	for id, s := range m.streams {
		if !s.Whole() {
			t.Errorf("stream %d is not whole", id)
		}
	}
}

func TestTrailersDieWithTheirCallback(t *testing.T) {
	m, w := greeted(Options{})
	var kept string
	m.onTrailers = func(_ *Stream, f exchange.Fields) { kept = f[0].Value }
	m.feed(w.headers(1, false, post...).take())
	m.feed(framed(1, true, unindexed([]string{"x: value"})))
	if want := strings.Repeat("\xdb", 5); m.err != nil || kept != want {
		t.Errorf("got %q, %v, want a view that is over", kept, m.err)
	}
}

func TestRequestOutlivesItsBytes(t *testing.T) {
	m, w := greeted(Options{})
	lines := append(with(":path: /long/path?query", ":authority: UPPER.example:80"), "x-literal: once", "cookie: a=1", "cookie: b=2")
	block := w.encode(lines...)
	// The same as literals that nobody remembers.
	for _, b := range [][]byte{block, unindexed(lines)} {
		m.log = nil
		id := m.c.last + 2
		if id == 2 {
			id = 1
		}
		m.feed(framed(id, true, b))
		before := m.log[0]
		m.log = nil
		for range 50 { // the table is turned over, the arena of trailers used
			m.feed(w.headers(m.c.last+2, false, with("x-more: "+strings.Repeat("z", 200)+fmt.Sprint(m.c.last))...).take())
			m.feed(w.headers(m.c.last, true, "x-t: "+strings.Repeat("t", 300)).take())
			m.streams[m.c.last].Reset(Cancel)
		}
		m.log = nil
		r := &m.asked[id].Request
		m.Request(m.streams[id], Head{End: true})
		if m.log[0] != before {
			t.Errorf("got %s, want %s", m.log[0], before)
		}
		if r.Host != "upper.example" || len(r.Fields) != 2 {
			t.Errorf("got %+v", r)
		}
	}
}

// unindexed encodes lines as literals with names, some in Huffman code.
func unindexed(lines []string) (b []byte) {
	for i, l := range lines {
		at := strings.Index(l[1:], ": ") + 1
		name, value := l[:at], l[at+2:]
		b = append(b, byte(i%2)<<4) // never indexed, or not
		b = appendText(b, name)
		b = huffman(b, value)
	}
	return b
}
