package enginetest

import (
	"bufio"
	"bytes"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/exchange"
)

// A collector is a Handler that asks for the body of every request but those of /plain,
// and says what it is given.
type collector struct {
	*Handler
	limit  int
	budget *exchange.Budget // that bodies are charged to; nil: none
	// then is what it wants when it knows the body; nil: Forward.
	then  func(*exchange.Exchange) exchange.Verdict
	asked chan struct{} // it asks for a body
	given chan given
	left  atomic.Int64 // views of a body that were there behind OnRequest
}

// given is what a handler was told of a body.
type given struct {
	state exchange.BodyState
	bytes []byte
	after time.Duration // since it asked
}

func newCollector(limit int, targets ...string) *collector {
	return &collector{Handler: NewHandler(targets...), limit: limit, asked: make(chan struct{}, 64), given: make(chan given, 64)}
}

func (c *collector) OnRequest(x *exchange.Exchange) exchange.Verdict {
	b := x.Request.Body
	switch {
	case x.Request.Path == "/plain":
		return c.Forward(x)
	case b.State == exchange.BodyUnread:
		x.Slots[2] = uint64(x.Now.UnixNano())
		c.asked <- struct{}{}
		return x.Collect(c.limit, c.budget)
	case x.Slots[3] == 0: // and not after a Suspend
		x.Slots[3] = 1
		c.given <- given{b.State, bytes.Clone(b.Bytes), time.Duration(x.Now.UnixNano() - int64(x.Slots[2]))}
	}
	if c.then != nil {
		return c.then(x)
	}
	return c.Forward(x)
}

func (c *collector) OnFailure(x *exchange.Exchange, f exchange.Failure) exchange.Verdict {
	c.look(x)
	return c.Handler.OnFailure(x, f)
}

func (c *collector) OnDone(x *exchange.Exchange, r exchange.Record) {
	c.look(x)
	x.Refund()
	c.Handler.OnDone(x, r)
}

func (c *collector) look(x *exchange.Exchange) {
	if x.Request.Body.Bytes != nil {
		c.left.Add(1)
	}
}

// wait takes what comes by one of a collector's channels.
func wait[T any](t *testing.T, from <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(10 * time.Second):
		t.Fatalf("%s: nothing", what)
		panic("not reached")
	}
}

func (c *collector) next(t *testing.T) given {
	t.Helper()
	return wait(t, c.given, "what the handler is told of the body")
}

// whole checks that it was told of this body.
func (c *collector) whole(t *testing.T, name, body string) {
	t.Helper()
	if g := c.next(t); g.state != exchange.BodyWhole || string(g.bytes) != body {
		t.Errorf("%s: the handler is told of %d bytes, %.40q (state %d), want all %d", name, len(g.bytes), g.bytes, g.state, len(body))
	}
	if n := c.left.Load(); n != 0 {
		t.Errorf("%s: the view of the body outlives the call", name)
	}
}

// tells answers with what a target sees of a request.
func tells(w http.ResponseWriter, r *http.Request) {
	b, err := io.ReadAll(r.Body)
	w.Header().Set("X-Body", fmt.Sprintf("%d %08x %v", len(b), crc32.ChecksumIEEE(b), err))
	w.Header().Set("X-Framing", fmt.Sprintf("%d%v%v", r.ContentLength, r.TransferEncoding, r.Trailer))
	fmt.Fprint(w, r.URL.Path)
}

// told is X-Body for a body that has come whole.
func told(body string) string {
	return fmt.Sprintf("%d %08x <nil>", len(body), crc32.ChecksumIEEE([]byte(body)))
}

// bodyIsShownWholeAndSentOn, the next request on the connection included.
func bodyIsShownWholeAndSentOn(t *testing.T, start Starter) {
	h := newCollector(20, Backend(t, tells))
	_, addr := start(t, Options{Handler: h})
	for name, c := range map[string]struct{ head, wire, body, framing string }{
		"length":             {"Content-Length: 5", "hello", "hello", "5[]map[]"},
		"as long as allowed": {"Content-Length: 20", strings.Repeat("x", 20), strings.Repeat("x", 20), "20[]map[]"},
		"none":               {"X-A: 1", "", "", "0[]map[]"},
		"length of none":     {"Content-Length: 0", "", "", "0[]map[]"},
		"chunks":             {"Transfer-Encoding: chunked", "2\r\nhe\r\n3;a=b\r\nllo\r\n0\r\n\r\n", "hello", "-1[chunked]map[]"},
		"chunks, exactly":    {"Transfer-Encoding: chunked", "14\r\n" + strings.Repeat("x", 20) + "\r\n0\r\n\r\n", strings.Repeat("x", 20), "-1[chunked]map[]"},
		"trailers":           {"Transfer-Encoding: chunked\r\nTrailer: X-In", "5\r\nhello\r\n0\r\nX-In: yes\r\n\r\n", "hello", "-1[chunked]map[X-In:[yes]]"},
	} {
		conn := dialTo(t, addr)
		fmt.Fprintf(conn, "POST /first HTTP/1.1\r\nHost: h\r\n%s\r\n\r\n%sPUT /second HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nConnection: close\r\n\r\nend", c.head, c.wire)
		br := bufio.NewReader(conn)
		for _, want := range []struct{ path, body, framing string }{{"/first", c.body, c.framing}, {"/second", "end", "3[]map[]"}} {
			resp, err := http.ReadResponse(br, nil)
			if err != nil {
				t.Fatalf("%s%s: %v", name, want.path, err)
			}
			got := whole(t, resp, nil)
			if got != want.path || resp.Header.Get("X-Body") != told(want.body) || resp.Header.Get("X-Framing") != want.framing {
				t.Errorf("%s: the target saw %q %v, want %s, %s, %s", name, got, resp.Header, want.path, told(want.body), want.framing)
			}
			h.whole(t, name+want.path, want.body)
			if r := wait(t, h.Done, "record"); r.Cut || r.Received != int64(len(want.body)) {
				t.Errorf("%s%s: record %+v, want %d bytes received", name, want.path, r, len(want.body))
			}
		}
	}
}

// bodyInPiecesIsShownWhenItIsThere, and not before: at the time of its last byte.
func bodyInPiecesIsShownWhenItIsThere(t *testing.T, start Starter) {
	h := newCollector(len("hello"), Backend(t, tells))
	_, addr := start(t, Options{Handler: h})
	wire := "2\r\nhe\r\n1\r\nl\r\n2\r\nlo\r\n0\r\n\r\n"
	c := dialTo(t, addr)
	fmt.Fprint(c, "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
	wait(t, h.asked, "the handler")
	const pause = 2 * time.Millisecond
	for i := range wire {
		select {
		case g := <-h.given:
			t.Fatalf("after %q the handler is told %q (state %d)", wire[:i], g.bytes, g.state)
		case <-time.After(pause): // nothing tells that nothing happens
		}
		if _, err := io.WriteString(c, wire[i:i+1]); err != nil {
			t.Fatal(err)
		}
	}
	g := h.next(t)
	if most := time.Duration(len(wire)) * pause; g.after < most || g.state != exchange.BodyWhole || string(g.bytes) != "hello" {
		t.Errorf("%q (state %d), asked for %v before by the clock of the exchange; want all of hello, and %v at least", g.bytes, g.state, g.after, most)
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if whole(t, resp, err); resp.Header.Get("X-Body") != told("hello") {
		t.Errorf("the target saw %s", resp.Header.Get("X-Body"))
	}
}

// tooLongABodyIsShownInPartAndSentOnWhole: of a known length and in chunks, for which more
// or less is kept than for another attempt.
func tooLongABodyIsShownInPartAndSentOnWhole(t *testing.T, start Starter) {
	up := Backend(t, tells)
	for _, limit := range []int{10, 200 << 10} {
		h := newCollector(limit, up)
		_, addr := start(t, Options{Handler: h})
		for _, size := range []int{limit + 1, 5 << 20} {
			body := strings.Repeat("0123456789abcdefg", size/17+1)[:size]
			for name, r := range map[string]io.Reader{"length": strings.NewReader(body), "chunks": io.MultiReader(strings.NewReader(body))} {
				resp, err := http.Post("http://"+addr, "", r)
				if whole(t, resp, err); resp.Header.Get("X-Body") != told(body) {
					t.Errorf("limit %d, %s: the target saw %s, want %s", limit, name, resp.Header.Get("X-Body"), told(body))
				}
				g := h.next(t)
				if g.state != exchange.BodyTooLong || len(g.bytes) <= limit || !strings.HasPrefix(body, string(g.bytes)) {
					t.Errorf("limit %d, %s of %d: state %d with %d bytes, want too long and the beginning of it", limit, name, size, g.state, len(g.bytes))
				}
				if r := wait(t, h.Done, "record"); r.Cut || r.Received != int64(size) {
					t.Errorf("limit %d, %s: record %+v, want %d bytes received", limit, name, r, size)
				}
			}
		}
	}
}

// nothingIsReadOfTooLongABodyBeforeTheVerdict: the client has to wait, and all goes on from
// where it was.
func nothingIsReadOfTooLongABodyBeforeTheVerdict(t *testing.T, start Starter) {
	const limit, size = 100 << 10, 64 << 20 // nothing beyond the limit is kept for another attempt
	h := newCollector(limit, Backend(t, tells))
	suspended := h.suspends()
	_, addr := start(t, Options{Handler: h})
	client := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(client.CloseIdleConnections)
	for _, path := range []string{"/", "/answer"} {
		u := beginUpload(client, "http://"+addr+path, size)
		x := wait(t, suspended, "the handler")
		u.stops() // sockets hold much of it
		x.Resume()
		if got, want := wait(t, u.answer, "answer"), told(string(make([]byte, size))); path == "/" && got != want {
			t.Errorf("the target saw %s, want %s", got, want)
		}
		if r := wait(t, h.Done, "record"); path == "/answer" && r.Received > 4*limit {
			t.Errorf("%d bytes were read before the verdict, of a body that may be %d", r.Received, limit)
		}
	}
}

// suspends has every request suspended when its body is known. Afterwards that of /answer is
// answered, and others are forwarded.
func (c *collector) suspends() <-chan *exchange.Exchange {
	suspended := make(chan *exchange.Exchange, 1)
	c.then = func(x *exchange.Exchange) exchange.Verdict {
		switch {
		case x.Slots[4] == 0:
			x.Slots[4] = 1
			v := x.Suspend()
			suspended <- x
			return v
		case x.Request.Path == "/answer":
			return x.RespondBytes(413, "", []byte("too long"))
		}
		return c.Forward(x)
	}
	return suspended
}

// upload is a request with a body of zeros that is under way.
type upload struct {
	taken  atomic.Int64 // bytes of the body that have left the client
	answer chan string  // what the target saw, or why there is no answer
}

func beginUpload(client *http.Client, url string, size int64) *upload {
	u := &upload{answer: make(chan string, 1)}
	go func() {
		resp, err := client.Post(url, "", io.TeeReader(io.LimitReader(zeros{}, size), countsInto{&u.taken}))
		if err != nil {
			u.answer <- err.Error()
			return
		}
		_, _ = io.Copy(io.Discard, resp.Body) // of it, that it ends is wanted alone
		_ = resp.Body.Close()                 // it has been read
		u.answer <- resp.Header.Get("X-Body")
	}()
	return u
}

// stops waits until nothing of the body is taken any more, and says how much was.
func (u *upload) stops() int64 {
	for still := int64(-1); still != u.taken.Load(); <-time.After(100 * time.Millisecond) { // only time tells
		still = u.taken.Load()
	}
	return u.taken.Load()
}

type countsInto struct{ n *atomic.Int64 }

func (c countsInto) Write(b []byte) (int, error) { c.n.Add(int64(len(b))); return len(b), nil }

// clientThatWaitsIsToldToSend when its body is asked for, and once.
func clientThatWaitsIsToldToSend(t *testing.T, start Starter) {
	h := newCollector(1000, Backend(t, tells))
	_, addr := start(t, Options{Handler: h})
	c := dialTo(t, addr)
	fmt.Fprint(c, "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
	br := bufio.NewReader(c)
	line, err := br.ReadString('\n')
	if err == nil {
		_, err = br.ReadString('\n')
	}
	if err != nil || !strings.HasPrefix(line, "HTTP/1.1 100") {
		t.Fatalf("%q %v, want 100", line, err)
	}
	fmt.Fprint(c, "ok")
	resp, err := http.ReadResponse(br, nil)
	if whole(t, resp, err); resp.StatusCode != http.StatusOK || resp.Header.Get("X-Body") != told("ok") {
		t.Errorf("%s, the target saw %s", resp.Status, resp.Header.Get("X-Body"))
	}
	h.whole(t, "expected", "ok")
}

// bodyThatIsThereIsShownAtOnce: it came while the request was suspended, all of it and
// more than is kept then. And the request may be suspended again.
func bodyThatIsThereIsShownAtOnce(t *testing.T, start Starter) {
	h := newCollector(1<<20, Backend(t, tells))
	first := &afterSuspend{collector: h, waiting: make(chan *exchange.Exchange, 1)}
	suspended := h.suspends()
	_, addr := start(t, Options{Handler: first})
	for _, size := range []int{0, 10, 300 << 10} {
		body := strings.Repeat("x", size)
		conn := dialTo(t, addr)
		sent := make(chan error, 1)
		go func() {
			_, err := fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n%s", size, body)
			sent <- err
		}()
		x := wait(t, first.waiting, "the handler")
		if size < 100 { // a socket holds so much
			if err := wait(t, sent, "the request"); err != nil {
				t.Fatal(err)
			}
		}
		x.Resume()
		h.whole(t, "suspended", body)
		wait(t, suspended, "the handler").Resume()
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if whole(t, resp, err); resp.Header.Get("X-Body") != told(body) {
			t.Errorf("%d bytes: the target saw %s", size, resp.Header.Get("X-Body"))
		}
	}
}

// afterSuspend is a collector that suspends each request first.
type afterSuspend struct {
	*collector
	waiting chan *exchange.Exchange
}

func (a *afterSuspend) OnRequest(x *exchange.Exchange) exchange.Verdict {
	if x.Slots[1] != 0 {
		return a.collector.OnRequest(x)
	}
	x.Slots[1] = 1
	v := x.Suspend()
	a.waiting <- x
	return v
}

// answerToABodyThatWasShownKeepsTheConnection, and one to a body that is too long ends it,
// as any answer before the end of a request does.
func answerToABodyThatWasShownKeepsTheConnection(t *testing.T, start Starter) {
	h := newCollector(5)
	h.then = func(x *exchange.Exchange) exchange.Verdict { return x.RespondBytes(403, "", []byte("no")) }
	_, addr := start(t, Options{Handler: h})
	c := dialTo(t, addr)
	br := bufio.NewReader(c)
	for _, r := range []struct {
		length int
		rest   string
	}{{5, "lo"}, {5, "lo"}, {7, "lo "}} { // of the last a byte stays away
		fmt.Fprintf(c, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\nhel", r.length)
		wait(t, h.asked, "the handler")
		fmt.Fprint(c, r.rest)
		resp, err := http.ReadResponse(br, nil)
		if got, closes := whole(t, resp, err), r.length > 5; got != "no" || resp.Close != closes {
			t.Errorf("%q, close %t, want %t", got, resp.Close, closes)
		}
	}
	fmt.Fprint(c, "!POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n") // fails perhaps: it is not read
	if b, err := br.ReadByte(); err == nil {
		t.Errorf("%q behind the last answer", b)
	}
}
