package http1

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

func reader(s string) *Reader { return &Reader{Reader: bufio.NewReaderSize(strings.NewReader(s), 16)} }

func TestHeadKeepsLinesAsTheyArrived(t *testing.T) {
	r := reader("\r\nGET /a HTTP/1.1\r\nhOsT: x \r\nX-Empty:\r\nx-empty:  b\tc \nLong: " + strings.Repeat("y", 100) + "\r\n\r\nHTTP/1.1 200\r\n\r\nrest")
	h, err := r.Head()
	if err != nil {
		t.Fatal(err)
	}
	want := "[{hOsT x} {X-Empty } {x-empty b\tc} {Long " + strings.Repeat("y", 100) + "}]"
	if got := fmt.Sprint(h.Fields); h.First != "GET /a HTTP/1.1" || got != want {
		t.Errorf("got %q %s, want %s", h.First, got, want)
	}
	if got := h.Fields.Values("X-EMPTY"); !slices.Equal(got, []string{"", "b\tc"}) || h.Fields.Get("host") != "x" || h.Fields.Get("none") != "" {
		t.Errorf("got %q, %q", got, h.Fields.Get("host"))
	}
	if h, err := r.Head(); err != nil || h.First != "HTTP/1.1 200" || len(h.Fields) != 0 {
		t.Errorf("second head: got %+v, %v", h, err)
	}
	if rest, _ := io.ReadAll(r); string(rest) != "rest" {
		t.Errorf("after the head: got %q", rest)
	}
}

func TestListsFindsTokensOnly(t *testing.T) {
	fs := Fields{{Name: "connection", Value: "Keep-Alive, CLOSE"}, {Name: "Other", Value: "x"}}
	for token, want := range map[string]bool{"close": true, "keep-alive": true, "clos": false, "x": false} {
		if got := fs.Lists("Connection", token); got != want {
			t.Errorf("%s: got %t, want %t", token, got, want)
		}
	}
}

func TestEndsOfAConnectionAreToldApart(t *testing.T) {
	for text, want := range map[string]error{
		"": io.EOF, "GET": io.ErrUnexpectedEOF, "GET / HTTP/1.1\r\n": io.ErrUnexpectedEOF, "GET / HTTP/1.1\r\nA: b": io.ErrUnexpectedEOF,
		"\r\n": io.EOF, "\r\n\r\n": ErrMalformed, "A\r\nno colon\r\n\r\n": ErrMalformed, "A\r\n folded: x\r\n\r\n": ErrMalformed,
		"A\r\n: x\r\n\r\n": ErrMalformed, "A\r\n" + strings.Repeat("a: b\n", MaxFields+1) + "\n": ErrMalformed, "A\r\nb: " + strings.Repeat("x", MaxHeadBytes): ErrMalformed,
	} {
		if _, err := reader(text).Head(); !errors.Is(err, want) {
			t.Errorf("%.40q: got %v, want %v", text, err, want)
		}
	}
}

func TestBodiesEndWhereTheirFramingSays(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		body func(*Reader) io.Reader
		want string
		err  error
		rest string
	}{
		"sized":              {"abcdef", func(r *Reader) io.Reader { return r.Sized(3) }, "abc", nil, "def"},
		"sized, cut":         {"ab", func(r *Reader) io.Reader { return r.Sized(3) }, "ab", io.ErrUnexpectedEOF, ""},
		"sized, nothing":     {"", func(r *Reader) io.Reader { return r.Sized(3) }, "", io.ErrUnexpectedEOF, ""},
		"chunked":            {"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nTrailer: x\r\n\r\nnext", (*Reader).Chunked, "abcde", nil, "next"},
		"chunked, cut":       {"3\r\nab", (*Reader).Chunked, "ab", io.ErrUnexpectedEOF, ""},
		"chunked, no end":    {"3\r\nabc\r\n", (*Reader).Chunked, "abc", io.ErrUnexpectedEOF, ""},
		"chunked, trailers":  {"0\r\nTrailer: x", (*Reader).Chunked, "", io.ErrUnexpectedEOF, ""},
		"chunked, malformed": {"x\r\nabc\r\n", (*Reader).Chunked, "", ErrMalformed, ""},
		"chunked, too long":  {"2\r\nabc\r\n0\r\n\r\n", (*Reader).Chunked, "ab", ErrMalformed, ""},
		"trailers too long":  {"0\r\n" + strings.Repeat("x", 100), (*Reader).Chunked, "", ErrMalformed, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := reader(c.text)
			got, err := io.ReadAll(c.body(r))
			if string(got) != c.want || !errors.Is(err, c.err) {
				t.Errorf("got %q, %v, want %q, %v", got, err, c.want, c.err)
			}
			if rest, _ := io.ReadAll(r); c.err == nil && string(rest) != c.rest {
				t.Errorf("after the body: got %q, want %q", rest, c.rest)
			}
		})
	}
	broken := errors.New("broken wire")
	for name, body := range map[string]func(*Reader) io.Reader{"sized": func(r *Reader) io.Reader { return r.Sized(9) }} {
		r := &Reader{Reader: bufio.NewReader(iotest.ErrReader(broken))}
		if _, err := io.ReadAll(body(r)); !errors.Is(err, broken) || errors.Is(err, ErrMalformed) {
			t.Errorf("%s: got %v, want the connection's error", name, err)
		}
	}
}

func TestAmbiguousFramingIsMalformed(t *testing.T) {
	for text, ok := range map[string]bool{
		"Content-Length: 3": true, "Transfer-Encoding: Chunked": true, "X: y": true,
		"Content-Length: 3\r\nContent-Length: 3": false, "Content-Length: -1": false, "Content-Length: +1": false, "Content-Length: ": false,
		"Transfer-Encoding: gzip": false, "Transfer-Encoding: chunked\r\nContent-Length: 3": false, "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked": false,
	} {
		h, err := reader("A\r\n" + text + "\r\n\r\n").Head()
		if err != nil {
			t.Fatal(err)
		}
		if f, err := h.Fields.Framing(); (err == nil) != ok || err != nil && !errors.Is(err, ErrMalformed) {
			t.Errorf("%q: got %+v, %v, want ok %t", text, f, err, ok)
		}
	}
}

// The library's reader is the naive twin: what it accepts, we read alike.
func FuzzHeadAgreesWithTheLibrary(f *testing.F) {
	f.Add("GET / HTTP/1.1\r\nHost: h\r\nA: b\r\na:  c \r\n\r\n")
	f.Add("\r\nPOST /x HTTP/1.0\nA:b\n\n0\n\n")
	f.Fuzz(func(t *testing.T, s string) {
		h, err := reader(s).Head()
		if err != nil {
			return
		}
		if h.First == "" || len(h.Fields) > MaxFields {
			t.Errorf("%q: got %+v", s, h)
		}
		lib, err := http.ReadRequest(bufio.NewReader(bytes.NewReader([]byte(s))))
		if err != nil {
			return
		}
		for name, want := range lib.Header {
			if got := h.Fields.Values(name); !slices.Equal(got, want) {
				t.Errorf("%q: %s: got %q, the library reads %q", s, name, got, want)
			}
		}
	})
}
