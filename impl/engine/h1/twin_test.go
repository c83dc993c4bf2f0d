package h1

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/unilb/unilb/impl/exchange"
)

// FuzzRequestTwin: whatever we accept, net/http accepts and frames alike. It may
// take more than we do.
func FuzzRequestTwin(f *testing.F) {
	for _, c := range everyMessage(f, fuzzed) {
		if c.kind == Request {
			f.Add(c.text)
		}
	}
	f.Fuzz(requestTwin)
}

func requestTwin(t *testing.T, text string) {
	r := newReading(Request)
	r.feed(text)
	twin := bufio.NewReaderSize(strings.NewReader(text), 1<<20)
	for _, m := range r.got {
		if b, _ := twin.Peek(2); string(b) == "\r\n" { // the library has no patience with empty lines
			twin.Discard(2)
		}
		q, err := http.ReadRequest(twin)
		if err != nil {
			t.Fatalf("the library refuses %q: %v; we read %+v", text, err, m)
		}
		if q.Method != m.Method || q.Host != m.Authority || !sameTarget(q, m) || q.Close != m.Framing.Close || q.ProtoMinor != int(m.Framing.Proto)-10 {
			t.Fatalf("the library reads %q %q for %q, close %v, we %+v, of %q", q.Method, q.RequestURI, q.Host, q.Close, m, text)
		}
		if q.ContentLength != m.Length {
			t.Fatalf("the library reads a body of %d bytes, we of %d, of %q", q.ContentLength, m.Length, text)
		}
		q.Header.Del("Host")
		sameFields(t, text, q.Header, m)
		if !m.Whole {
			return // refused or cut: the library may take it
		}
		sameBody(t, text, q.Body, m)
		// Trailers are there when the body was read.
		sameTrailers(t, text, q.Trailer, m)
	}
	sameRest(t, text, twin, r)
}

func sameTarget(q *http.Request, m message) bool {
	if q.Method == http.MethodConnect || strings.HasPrefix(q.RequestURI, "/") {
		return q.RequestURI == m.Target
	}
	_, rest, _ := strings.Cut(q.RequestURI, "://")
	rest = rest[len(q.Host):]
	if !strings.HasPrefix(rest, "/") {
		rest = "/" + rest
	}
	return rest == m.Target
}

// FuzzAnswerTwin is the same for answers to GET and HEAD.
func FuzzAnswerTwin(f *testing.F) {
	for _, c := range everyMessage(f, fuzzed) {
		if c.kind == Answer {
			f.Add(c.text, false)
			f.Add(c.text, true)
		}
	}
	f.Fuzz(answerTwin)
}

func answerTwin(t *testing.T, text string, head bool) {
	r := newReading(Answer)
	if head {
		r.method = "HEAD"
	}
	r.feed(text)
	twin := bufio.NewReaderSize(strings.NewReader(text), 1<<20)
	for _, m := range r.got {
		a, err := http.ReadResponse(twin, &http.Request{Method: r.method})
		if err != nil {
			t.Fatalf("the library refuses %q: %v; we read %+v", text, err, m)
		}
		sized := BodyFollows(m.Status) // of others the library tells the length to HEAD alone
		if a.StatusCode != m.Status || sized && a.ContentLength != m.Length || a.Close != m.Framing.Close {
			t.Fatalf("the library reads %d, %d bytes, close %v, we %+v, of %q", a.StatusCode, a.ContentLength, a.Close, m, text)
		}
		if m.Framing.Close && a.Header["Connection"] == nil { // which the library has removed
			m.Fields = slices.DeleteFunc(m.Fields, func(f exchange.Field) bool { return exchange.EqualFold(f.Name, "Connection") })
		}
		sameFields(t, text, a.Header, m)
		if m.Framing.Length == UntilClose {
			b, err := io.ReadAll(a.Body)
			if string(b) != m.Body || err != nil {
				t.Fatalf("the library reads %q to the end (%v), we %q, of %q", b, err, m.Body, text)
			}
			return
		}
		if !m.Whole {
			return
		}
		sameBody(t, text, a.Body, m)
		sameTrailers(t, text, a.Trailer, m)
	}
	sameRest(t, text, twin, r)
}

// sameFields compares the fields but those that frame.
func sameFields(t *testing.T, text string, h http.Header, m message) {
	t.Helper()
	ours := http.Header{}
	for _, f := range m.Fields {
		ours.Add(f.Name, f.Value)
	}
	if ours.Get("Pragma") == "no-cache" && ours["Cache-Control"] == nil {
		h.Del("Cache-Control") // the library makes one of Pragma
	}
	for _, name := range []string{"Content-Length", "Transfer-Encoding", "Trailer"} {
		h.Del(name)
	}
	if len(ours) != len(h) {
		t.Fatalf("the library reads the fields %q, we %q, of %q", h, ours, text)
	}
	for name, values := range h {
		if !slices.Equal(values, ours[name]) {
			t.Fatalf("the library reads %s: %q, we %q, of %q", name, values, ours[name], text)
		}
	}
}

func sameBody(t *testing.T, text string, body io.Reader, m message) {
	t.Helper()
	b, err := io.ReadAll(body)
	if err != nil || string(b) != m.Body {
		t.Fatalf("the library reads the body %q (%v), we %q, of %q", b, err, m.Body, text)
	}
}

// sameTrailers: all that we keep the library has, with the same values.
func sameTrailers(t *testing.T, text string, h http.Header, m message) {
	t.Helper()
	ours := http.Header{}
	for _, f := range m.Trailers {
		ours.Add(f.Name, f.Value)
	}
	for name, values := range ours {
		if !slices.Equal(values, h[name]) {
			t.Fatalf("the library reads the trailer %s: %q, we %q, of %q", name, h[name], values, text)
		}
	}
	for name, values := range h {
		if len(values) > 0 && ours[name] == nil && !DropTrailer(name) {
			t.Fatalf("the library reads the trailer %s: %q, we none, of %q", name, values, text)
		}
	}
}

// sameRest: what lies behind the last message is the same.
func sameRest(t *testing.T, text string, twin *bufio.Reader, r *reading) {
	t.Helper()
	if r.err != nil {
		return
	}
	rest, err := io.ReadAll(twin)
	if err != nil && !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	if !bytes.Equal(rest, r.buf) {
		t.Fatalf("the library leaves %q, we %q, of %q", rest, r.buf, text)
	}
}
