package h1

import (
	"slices"
	"strings"
	"testing"

	"github.com/unilb/unilb/impl/exchange"
)

func TestBodyEndsWhereItsFramingSays(t *testing.T) {
	for _, c := range []struct {
		name         string
		length       int64
		bytes, data  string
		behind       string
		done         bool
		closed       Reason // when the connection ends here
		left, before int64
	}{
		{"none", 0, "next", "", "next", true, NoReason, 0, 0},
		{"a length", 5, "hellonext", "hello", "next", true, NoReason, 0, 5},
		{"part of a length", 5, "hel", "hel", "", false, ReasonCut, 2, 5},
		{"chunks", Chunked, "5\r\nhello\r\n1\r\n!\r\n0\r\n\r\nnext", "hello!", "next", true, NoReason, 0, -1},
		{"chunks without end", Chunked, "5\r\nhello\r\n", "hello", "", false, ReasonCut, -1, -1},
		{"chunks without the blank line", Chunked, "0\r\n", "", "", false, ReasonCut, -1, -1},
		{"until close", UntilClose, "all of it", "all of it", "", false, NoReason, -1, -1},
	} {
		var d Body
		d.Begin(c.length)
		if got := d.Left(); got != c.before {
			t.Errorf("%s: got %d left at first, want %d", c.name, got, c.before)
		}
		data, rest, done := "", []byte(c.bytes), false
		for {
			part, n, over, err := d.Next(rest)
			if err != nil {
				t.Fatalf("%s: got %v", c.name, err)
			}
			data, rest, done = data+string(part), rest[n:], over
			if over || n == 0 {
				break
			}
		}
		if data != c.data || string(rest) != c.behind || done != c.done || d.Left() != c.left {
			t.Errorf("%s: got %q, %q behind, done %v, %d left, want %q, %q, %v, %d", c.name, data, rest, done, d.Left(), c.data, c.behind, c.done, c.left)
		}
		if got := ReasonOf(d.Closed()); got != c.closed {
			t.Errorf("%s: the end of the connection is %v, want %v", c.name, got, c.closed)
		}
	}
}

func TestSplicedBytesCount(t *testing.T) {
	var d Body
	d.Begin(10)
	d.Next([]byte("abc"))
	if done := d.Skip(6); done || d.Left() != 1 {
		t.Errorf("got done %v with %d left, want 1 left", done, d.Left())
	}
	if done := d.Skip(5); !done || d.Left() != 0 {
		t.Errorf("got done %v with %d left, want the end", done, d.Left())
	}
}

func TestEndOfAMessageIsSeenWithItsLastBytes(t *testing.T) {
	var d Body
	d.Begin(Chunked)
	data, n, done, err := d.Next([]byte("5\r\nhello\r\n0\r\n\r\n"))
	if string(data) != "hello" || n != 15 || !done || err != nil {
		t.Errorf("got %q, %d, %v, %v, want all in one call", data, n, done, err)
	}
}

func TestManySmallChunksAreNoAttack(t *testing.T) {
	r := read(Request, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"+strings.Repeat("1\r\na\r\n", 30000)+"0\r\n\r\n")
	if r.err != nil || !r.got[0].Whole || len(r.got[0].Body) != 30000 {
		t.Errorf("got %v after %d bytes, want 30000", r.err, len(r.got[0].Body))
	}
}

func TestTrailersAreKeptWithoutThoseThatMeanHarm(t *testing.T) {
	const end = "\r\n\r\n"
	r := read(Answer, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked"+end+"0\r\nX-Sum: 1\r\ncontent-length: 5\r\nTransfer-Encoding: chunked\r\nHOST: x\r\n"+
		"Authorization: x\r\nSet-Cookie: x\r\nX-Forwarded-For: 1\r\nx-real-ip: 1\r\nConnection: close\r\ntrailer: x\r\nGrpc-Status:0\r\nEmpty:"+end)
	want := exchange.Fields{{Name: "X-Sum", Value: "1"}, {Name: "Grpc-Status", Value: "0"}, {Name: "Empty", Value: ""}}
	if r.err != nil || !r.got[0].Whole || !slices.Equal(r.got[0].Trailers, want) {
		t.Errorf("got %v, want the trailers %v", r, want)
	}
}

func TestTrailersEndWithTheNextMessage(t *testing.T) {
	var d Body
	d.Begin(Chunked)
	if _, _, done, err := d.Next([]byte("0\r\nX: y\r\n\r\n")); !done || err != nil || len(d.Trailers()) != 1 {
		t.Fatalf("got %v, %v, %v", done, err, d.Trailers())
	}
	d.Begin(Chunked)
	if _, _, done, err := d.Next([]byte("0\r\n\r\n")); !done || err != nil || len(d.Trailers()) != 0 {
		t.Errorf("got %v, %v, and the trailers %v of the message before", done, err, d.Trailers())
	}
}

func TestTrailersHaveLimits(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want Reason
	}{
		"as many lines":      {strings.Repeat("X: y\r\n", MaxTrailers) + "\r\n", NoReason},
		"one line more":      {strings.Repeat("X: y\r\n", MaxTrailers+1) + "\r\n", ReasonTrailersTooLong},
		"also dropped ones":  {strings.Repeat("Host: y\r\n", MaxTrailers+1) + "\r\n", ReasonTrailersTooLong},
		"as many bytes":      {"X: " + strings.Repeat("y", MaxTrailerBytes-7) + "\r\n\r\n", NoReason},
		"one byte more":      {"X: " + strings.Repeat("y", MaxTrailerBytes-6) + "\r\n\r\n", ReasonTrailersTooLong},
		"a line without end": {strings.Repeat("y", MaxTrailerBytes+1), ReasonTrailersTooLong},
	} {
		r := read(Request, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"+c.text)
		if got := ReasonOf(r.err); got != c.want || r.got[0].Whole != (c.want == NoReason) {
			t.Errorf("%s: got %v, whole %v, want %v", name, r.err, r.got[0].Whole, c.want)
		}
	}
}

func TestOnlyHarmlessTrailersAreAnnounced(t *testing.T) {
	got := TrailerNames(nil, " X-Sum,, Content-Length ,a b, Grpc-Status,X-Forwarded-For")
	if want := (exchange.Fields{{Name: "X-Sum"}, {Name: "Grpc-Status"}}); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := TrailerNames(nil, strings.Repeat("x,", 1000)); len(got) != MaxTrailers {
		t.Errorf("got %d names, want %d", len(got), MaxTrailers)
	}
}
