package enginetest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"github.com/unilb/unilb/impl/exchange"
)

// h2BodyIsShownWhole, also one that is longer than the windows of the stream and of the
// connection, and sent on, with trailers.
func h2BodyIsShownWhole(t *testing.T, f front) {
	const limit = 4 << 20
	h := newCollector(limit, Backend(t, tells))
	_, url := f.serve(t, Options{Handler: h})
	c := f.client(t)
	for _, size := range []int{0, 1, 70_000, limit} {
		body := string(bytes.Repeat([]byte("0123456789abcde\n"), size/16+1)[:size])
		for name, r := range map[string]io.Reader{"length": strings.NewReader(body), "no length": io.MultiReader(strings.NewReader(body))} {
			req, _ := http.NewRequest(http.MethodPost, url, r)
			if name != "length" {
				req.Trailer = http.Header{"X-In": {"yes"}}
			}
			resp, err := c.Do(req)
			whole(t, resp, err)
			if got := resp.Header.Get("X-Body"); got != told(body) {
				t.Errorf("%d bytes, %s: the target saw %s, want %s", size, name, got, told(body))
			}
			if got, want := resp.Header.Get("X-Framing"), fmt.Sprintf("%d[]map[]", size); name == "length" && got != want {
				t.Errorf("%d bytes, %s: framed %s, want %s", size, name, got, want)
			} else if name != "length" && got != "-1[chunked]map[X-In:[yes]]" {
				t.Errorf("%d bytes, %s: framed %s", size, name, got)
			}
			h.whole(t, name, body)
		}
	}
}

// h2TooLongABodyIsSentOnWhole: what follows is not read before the verdict, neither from
// the client's window nor beyond it.
func h2TooLongABodyIsSentOnWhole(t *testing.T, f front) {
	const size = 8 << 20
	for _, limit := range []int{10, 200 << 10} {
		h := newCollector(limit, Backend(t, tells))
		suspended := h.suspends()
		_, url := f.serve(t, Options{Handler: h})
		u := beginUpload(f.client(t), url, size)
		x := wait(t, suspended, "the handler")
		if n := u.stops(); n > 1<<20 { // windows bound it
			t.Errorf("limit %d: %d bytes were taken before the verdict", limit, n)
		}
		x.Resume()
		if got, want := wait(t, u.answer, "answer"), told(string(make([]byte, size))); got != want {
			t.Errorf("limit %d: the target saw %s, want %s", limit, got, want)
		}
		if g := h.next(t); g.state != exchange.BodyTooLong || len(g.bytes) <= limit || len(bytes.Trim(g.bytes, "\x00")) > 0 {
			t.Errorf("limit %d: state %d, %d bytes", limit, g.state, len(g.bytes))
		}
		if r := wait(t, h.Done, "record"); r.Cut || r.Received != size {
			t.Errorf("limit %d: record %+v", limit, r)
		}
	}
}

// h2BodyHoldsUpNoOther: one stream of a connection waits for its body, others pass it.
func h2BodyHoldsUpNoOther(t *testing.T, f front) {
	h := newCollector(1000, Backend(t, tells))
	_, url := f.serve(t, Options{Handler: h})
	c := f.client(t)
	pr, pw := io.Pipe()
	answer := make(chan string, 1)
	go func() {
		resp, err := c.Post(url+"/slow", "", pr)
		if err != nil {
			answer <- err.Error()
			return
		}
		_, _ = io.Copy(io.Discard, resp.Body) // of it, that it ends is wanted alone
		_ = resp.Body.Close()                 // it has been read
		answer <- resp.Header.Get("X-Body")
	}()
	wait(t, h.asked, "the handler")
	for _, part := range []string{"be", "gin"} {
		if _, err := io.WriteString(pw, part); err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{"/plain", "/quick"} {
			resp, err := c.Post(url+path, "", strings.NewReader(path))
			if whole(t, resp, err); resp.Header.Get("X-Body") != told(path) {
				t.Errorf("%s beside it: the target saw %s", path, resp.Header.Get("X-Body"))
			}
		}
		h.whole(t, "beside it", "/quick")
	}
	_ = pw.Close() // it has no error
	if got := wait(t, answer, "answer"); got != told("begin") {
		t.Errorf("the target saw %s", got)
	}
	h.whole(t, "the slow one", "begin")
}

// h2ClientThatWaitsIsToldToSend when its body is asked for, and once.
func h2ClientThatWaitsIsToldToSend(t *testing.T, f front) {
	h := newCollector(1000, Backend(t, tells))
	_, url := f.serve(t, Options{Handler: h})
	interim := 0
	req, _ := http.NewRequest(http.MethodPost, url, strings.NewReader("hello"))
	req.Header.Set("Expect", "100-continue")
	req = req.WithContext(httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{Got100Continue: func() { interim++ }}))
	resp, err := f.client(t).Do(req) // which waits for it
	if whole(t, resp, err); resp.Header.Get("X-Body") != told("hello") || interim != 1 {
		t.Errorf("the target saw %s, %d times 100", resp.Header.Get("X-Body"), interim)
	}
	h.whole(t, "expected", "hello")
}

// h2BodyThatEndsBadly while it is collected: its stream ends, alone or with its
// connection.
func h2BodyThatEndsBadly(t *testing.T, f front) {
	h := newCollector(1000, refusing(t))
	_, url := f.serve(t, Options{Handler: h})
	for _, e := range []struct {
		name  string
		leave func(dialed, io.Closer) error
		why   exchange.CutReason
	}{
		{"reset", func(c dialed, _ io.Closer) error { return c.WriteRSTStream(1, http2.ErrCodeCancel) }, exchange.CutClientReset},
		{"gone", func(_ dialed, conn io.Closer) error { return conn.Close() }, exchange.CutClientGone},
		{"of another length", func(c dialed, _ io.Closer) error { return c.WriteData(1, true, nil) }, exchange.CutClientMalformed},
	} {
		c, conn := f.connect(t, url)
		c.head(1, false, ":method", "POST", ":scheme", "http", ":authority", "h", ":path", "/", "content-length", "10")
		wait(t, h.asked, "the handler")
		err := c.WriteData(1, false, []byte("hello"))
		if err = errors.Join(err, c.WritePing(false, [8]byte{})); err != nil {
			t.Fatal(err)
		}
		for { // whose answer says that the data has been taken
			frame, err := c.ReadFrame()
			if err != nil {
				t.Fatal(err)
			}
			if ping, ok := frame.(*http2.PingFrame); ok && ping.IsAck() {
				break
			}
		}
		if err := e.leave(c, conn); err != nil {
			t.Fatal(err)
		}
		h.untold(t, e.name, e.why)
	}
}

// h2BodyHasItsTimeFromWhenItIsAskedFor: before that, when as much of it was there as is kept,
// it was not the client's turn.
func h2BodyHasItsTimeFromWhenItIsAskedFor(t *testing.T, f front) {
	const limit = time.Second
	h := newCollector(1<<20, Backend(t, tells))
	first := &afterSuspend{collector: h, waiting: make(chan *exchange.Exchange, 1)}
	_, url := f.serve(t, Options{Handler: first, BodyTimeout: limit})
	c := f.client(t)
	begin, rest := strings.Repeat("x", exchange.DefaultReplayLimit), "the end"
	pr, pw := io.Pipe()
	go func() { _, _ = io.WriteString(pw, begin) }() // the target finds out
	answer := make(chan string, 1)
	go func() {
		resp, err := c.Post(url, "", pr)
		if err != nil {
			answer <- err.Error()
			return
		}
		_, _ = io.Copy(io.Discard, resp.Body) // of it, that it ends is wanted alone
		_ = resp.Body.Close()                 // it has been read
		answer <- resp.Header.Get("X-Body")
	}()
	x := wait(t, first.waiting, "the handler")
	<-time.After(limit * 3 / 2)
	x.Resume()
	wait(t, h.asked, "the handler")
	<-time.After(limit / 2)
	go func() {
		_, _ = io.WriteString(pw, rest) // the target finds out
		_ = pw.Close()                  // it has no error
	}()
	if got := wait(t, answer, "answer"); got != told(begin+rest) {
		t.Errorf("the target saw %s, want %s", got, told(begin+rest))
	}
	h.whole(t, "late", begin+rest)
}

// h2BodyThatStopsWhileItIsCollected is given up.
func h2BodyThatStopsWhileItIsCollected(t *testing.T, f front) {
	h := newCollector(1000, refusing(t))
	_, url := f.serve(t, Options{Handler: h, BodyTimeout: 200 * time.Millisecond})
	c := f.dial(t, url)
	c.head(1, false, ":method", "POST", ":scheme", "http", ":authority", "h", ":path", "/")
	if err := c.WriteData(1, false, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	wait(t, h.asked, "the handler")
	if r, ok := c.next(1).(*http2.RSTStreamFrame); !ok {
		t.Errorf("got %v, want a reset", r)
	}
	h.untold(t, "stopped", exchange.CutClientNotSending)
}

// h2AnswerToABodyEndsItsStreamOnly, whether it was shown whole or is too long; and a panic
// its connection.
func h2AnswerToABodyEndsItsStreamOnly(t *testing.T, f front) {
	h := newCollector(1000, Backend(t, tells))
	h.then = func(x *exchange.Exchange) exchange.Verdict {
		if x.Request.Path == "/panic" {
			panic("the handler fails with the body")
		}
		return x.RespondBytes(403, "", []byte("no"))
	}
	_, url := f.serve(t, Options{Handler: h})
	c := f.dial(t, url)
	for i, size := range []int{1, 1000, 1001} {
		stream := uint32(2*i + 1)
		c.head(stream, false, ":method", "POST", ":scheme", "http", ":authority", "h", ":path", "/")
		tooLong := size > 1000
		if err := c.WriteData(stream, !tooLong, make([]byte, size)); err != nil {
			t.Fatal(err)
		}
		if head, ok := c.next(stream).(*http2.HeadersFrame); !ok {
			t.Fatalf("%d bytes: got %v, want the head of an answer", size, head)
		}
		if got := c.body(stream); got != "no" {
			t.Errorf("%d bytes: %q", size, got)
		}
		if tooLong {
			if r, ok := c.next(stream).(*http2.RSTStreamFrame); !ok || r.ErrCode != http2.ErrCodeNo {
				t.Errorf("got %v, want a reset with NO_ERROR", r)
			}
			_ = c.WriteData(stream, true, make([]byte, 1000)) // was on its way
		}
		if g := h.next(t); (g.state == exchange.BodyTooLong) != tooLong || len(g.bytes) != size {
			t.Errorf("%d bytes: state %d with %d", size, g.state, len(g.bytes))
		}
	}
	c.ask(9, http.MethodPost, "/")
	if head, ok := c.next(9).(*http2.HeadersFrame); !ok {
		t.Errorf("the next on the connection: %v", head)
	}
	for range 4 {
		wait(t, h.Done, "record")
	}
	resp, err := f.client(t).Post(url+"/panic", "", strings.NewReader("hello"))
	if err == nil {
		_ = resp.Body.Close()
		t.Errorf("a panic: %s", resp.Status)
	}
	if r := wait(t, h.Done, "record"); !r.Cut || r.CutReason != exchange.CutInternal {
		t.Errorf("a panic: record %+v (%s)", r, r.CutReason)
	}
	resp, err = f.client(t).Post(url, "", strings.NewReader("hello"))
	if got := whole(t, resp, err); got != "no" {
		t.Errorf("after it: %q", got)
	}
}

// h2TooLongABodyForTheEngine is refused while it is collected, too.
func h2TooLongABodyForTheEngine(t *testing.T, f front) {
	h := newCollector(2000, refusing(t))
	_, url := f.serve(t, Options{Handler: h, MaxBody: 1000})
	c := f.client(t)
	for name, body := range map[string]io.Reader{"known": bytes.NewReader(make([]byte, 1001)), "unknown": io.LimitReader(zeros{}, 1001)} {
		resp, err := c.Post(url, "", body)
		if whole(t, resp, err); resp.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("length %s: %s, want 413", name, resp.Status)
		}
	}
	if f := h.Failures(); len(f) != 2 || f[0].Kind != exchange.ClientTooBig || len(h.given) > 0 {
		t.Errorf("failures %+v, %d times more asked", f, len(h.given))
	}
}

// h2BodyThatWasShownReachesItsTarget over HTTP/2, also another one than was tried first.
func h2BodyThatWasShownReachesItsTarget(t *testing.T, b bench) {
	h := newCollector(300 << 10)
	h.Handler = b.handler(refusing(t), b.target(t, tells))
	_, addr := b.start(t, Options{Handler: h, HTTP2: b.two})
	c := b.client(t)
	for _, size := range []int{0, 10, 300 << 10, 3 << 20} {
		body := string(bytes.Repeat([]byte("0123456789abcde\n"), size/16+1)[:size])
		for name, r := range map[string]io.Reader{"length": strings.NewReader(body), "no length": io.MultiReader(strings.NewReader(body))} {
			resp, err := c.Post("http://"+addr, "", r)
			if whole(t, resp, err); resp.Header.Get("X-Body") != told(body) {
				t.Errorf("%d bytes, %s: the target saw %s, want %s", size, name, resp.Header.Get("X-Body"), told(body))
			}
			if g := h.next(t); (g.state == exchange.BodyWhole) != (size <= h.limit) {
				t.Errorf("%d bytes, %s: state %d", size, name, g.state)
			}
		}
	}
}
