package enginetest

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/exchange"
)

const halfOfABody = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhello"

// untold checks that the handler knows of an end, and of nothing else: neither of the body
// nor of a failure.
func (c *collector) untold(t *testing.T, name string, why exchange.CutReason) {
	t.Helper()
	if r := wait(t, c.Done, "record"); !r.Cut || r.CutReason != why || r.Status != 0 || r.Received > 5 {
		t.Errorf("%s: record %+v (%s), want cut, %s, and 5 bytes received at most", name, r, r.CutReason, why)
	}
	c.silent(t, name)
}

// silent checks that it was told nothing of the body, or twice of the end.
func (c *collector) silent(t *testing.T, name string) {
	t.Helper()
	if len(c.given) > 0 || len(c.Done) > 0 {
		t.Errorf("%s: the handler is asked %d times more, and told of %d more ends", name, len(c.given), len(c.Done))
	}
	if f := c.Failures(); len(f) > 0 {
		t.Errorf("%s: failures %+v, of no attempt", name, f)
	}
}

// clientThatLeavesItsBodyIsGone: by a reset, or by the end of what it sends.
func clientThatLeavesItsBodyIsGone(t *testing.T, start Starter) {
	h := newCollector(1000, refusing(t))
	_, addr := start(t, Options{Handler: h})
	for name, leave := range map[string]func(*net.TCPConn){
		"reset":     func(c *net.TCPConn) { _ = c.SetLinger(0); _ = c.Close() }, // neither can fail here
		"closed":    func(c *net.TCPConn) { _ = c.Close() },                     // the same
		"half shut": func(c *net.TCPConn) { _ = c.CloseWrite() },                // the same
	} {
		c := dialHalf(t, addr)
		fmt.Fprint(c, halfOfABody[:len(halfOfABody)-1])
		wait(t, h.asked, "the handler")
		fmt.Fprint(c, "o")
		leave(c)
		h.untold(t, name, exchange.CutClientGone)
	}
}

// bodyThatStopsWhileItIsCollectedIsGivenUp in the time of a body; without an answer.
func bodyThatStopsWhileItIsCollectedIsGivenUp(t *testing.T, start Starter) {
	h := newCollector(1000, refusing(t))
	_, addr := start(t, Options{Handler: h, BodyTimeout: 150 * time.Millisecond})
	c := dialHalf(t, addr)
	fmt.Fprint(c, halfOfABody)
	h.untold(t, "stopped", exchange.CutClientNotSending)
	_ = c.CloseWrite()                     // fails when the connection has ended
	if b, _ := io.ReadAll(c); len(b) > 0 { // the end may be a reset
		t.Errorf("the client is told %q", b)
	}
}

// tooLongABodyForTheEngineIsRefused, whether the handler wants more of it or less.
func tooLongABodyForTheEngineIsRefused(t *testing.T, start Starter) {
	h := newCollector(2000, refusing(t))
	_, addr := start(t, Options{Handler: h, MaxBody: 1000})
	for name, body := range map[string]io.Reader{"length": bytes.NewReader(make([]byte, 1001)), "chunks": io.LimitReader(zeros{}, 1001)} {
		resp, err := http.Post("http://"+addr, "", body)
		if got := whole(t, resp, err); resp.StatusCode != http.StatusRequestEntityTooLarge || got != "big" {
			t.Errorf("%s: %s %q, want 413", name, resp.Status, got)
		}
		if r := wait(t, h.Done, "record"); r.Cut || r.Status != 413 {
			t.Errorf("%s: record %+v", name, r)
		}
	}
	if f := h.Failures(); len(f) != 2 || f[0].Kind != exchange.ClientTooBig || f[0].Sent || len(h.given) > 0 {
		t.Errorf("failures %+v, %d times more asked", f, len(h.given))
	}
}

// malformedBodyIsShownToNobody: strict engines answer 400.
func malformedBodyIsShownToNobody(t *testing.T, start Starter, strict bool) {
	h := newCollector(1000, refusing(t))
	_, addr := start(t, Options{Handler: h})
	c := dialTo(t, addr)
	fmt.Fprint(c, "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
	wait(t, h.asked, "the handler")
	fmt.Fprint(c, "zz\r\n")
	b, err := io.ReadAll(c)
	if got := string(b); strict && (err != nil || !strings.HasPrefix(got, "HTTP/1.1 400") || strings.Count(got, "HTTP/1.1") > 1) || !strict && got != "" {
		t.Errorf("the client is told %q, %v", got, err)
	}
	r := wait(t, h.Done, "record")
	if refused := r.Status == 400 && r.Refused == "chunk_size" && !r.Cut; strict && !refused || !strict && (!r.Cut || r.CutReason != exchange.CutClientMalformed) {
		t.Errorf("record %+v (%s)", r, r.CutReason)
	}
	h.silent(t, "malformed")
}

// panicOverABodyEndsItsConnectionOnly, and is told once; as is a handler that asks for a
// body again.
func panicOverABodyEndsItsConnectionOnly(t *testing.T, start Starter) {
	h := newCollector(1000, Backend(t, tells))
	h.then = func(x *exchange.Exchange) exchange.Verdict {
		switch x.Request.Path {
		case "/panic":
			panic("the handler fails with the body")
		case "/again":
			return x.Collect(1000, nil)
		}
		return h.Forward(x)
	}
	_, addr := start(t, Options{Handler: h})
	for _, path := range []string{"/panic", "/again"} {
		for _, body := range []string{"", "hello"} {
			c := dialTo(t, addr)
			fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n", path, len(body))
			wait(t, h.asked, "the handler")
			fmt.Fprint(c, body)
			if b, _ := io.ReadAll(c); len(b) > 0 { // its end may be a reset
				t.Errorf("%s: answered %q, want the end of the connection", path, b)
			}
			if r := wait(t, h.Done, "record"); !r.Cut || r.CutReason != exchange.CutInternal {
				t.Errorf("%s: record %+v (%s), want cut, %s", path, r, r.CutReason, exchange.CutInternal)
			}
			h.next(t)
			resp, err := http.Post("http://"+addr+"/fine", "", strings.NewReader("fine"))
			if whole(t, resp, err); resp.Header.Get("X-Body") != told("fine") {
				t.Errorf("after %s: the target saw %s", path, resp.Header.Get("X-Body"))
			}
			wait(t, h.asked, "the handler")
			h.next(t)
			wait(t, h.Done, "record")
			h.silent(t, path)
		}
	}
}

// bodyThatWasShownIsSentAgain: all of it is there, however much is kept of others. What was
// too long is not, once some of it has gone.
func bodyThatWasShownIsSentAgain(t *testing.T, start Starter) {
	const size = 200 << 10
	body := strings.Repeat("y", size)
	up := Backend(t, tells)
	for _, c := range []struct {
		name   string
		limit  int
		first  string
		status int
	}{
		{"nobody listens", size, refusing(t), 200},
		{"nobody listens, too long", size / 2, refusing(t), 200},
		{"it ends", size, cutter(t, size+50), 200},
		{"it ends, too long", size / 2, cutter(t, size+50), 502},
	} {
		h := newCollector(c.limit, c.first, up)
		_, addr := start(t, Options{Handler: h})
		req, _ := http.NewRequest(http.MethodPut, "http://"+addr, strings.NewReader(body))
		resp, err := http.DefaultClient.Do(req)
		if whole(t, resp, err); resp.StatusCode != c.status || c.status == 200 && resp.Header.Get("X-Body") != told(body) {
			t.Errorf("%s: %s, the second target saw %s; want %d", c.name, resp.Status, resp.Header.Get("X-Body"), c.status)
		}
		if f := h.Failures(); len(f) != 1 || f[0].Replayable != (c.status == 200) {
			t.Errorf("%s: failures %+v", c.name, f)
		}
		if g := h.next(t); (g.state == exchange.BodyWhole) != (c.limit == size) {
			t.Errorf("%s: state %d", c.name, g.state)
		}
	}
}

// drainWaitsForABody: the request is served, and its connection ends with it.
func drainWaitsForABody(t *testing.T, start Starter) {
	h := newCollector(1000, Backend(t, tells))
	e, addr := start(t, Options{Handler: h})
	c := dialTo(t, addr)
	fmt.Fprint(c, halfOfABody)
	wait(t, h.asked, "the handler")
	e.Drain()
	if n := e.InFlight(); n != 1 {
		t.Errorf("%d requests in flight", n)
	}
	fmt.Fprint(c, "world")
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if whole(t, resp, err); resp.Header.Get("X-Body") != told("helloworld") || !resp.Close {
		t.Errorf("the target saw %s, close %t", resp.Header.Get("X-Body"), resp.Close)
	}
}

// earlyAnswerToABodyIsRead by a client that looks for it only when it has sent everything.
func earlyAnswerToABodyIsRead(t *testing.T, start Starter) {
	h := newCollector(1000)
	h.then = func(x *exchange.Exchange) exchange.Verdict { return x.RespondBytes(413, "", []byte("too long")) }
	_, addr := start(t, Options{Handler: h})
	c := dialTo(t, addr)
	fmt.Fprint(c, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 500000\r\n\r\n")
	wait(t, h.asked, "the handler")
	if _, err := c.Write(make([]byte, 500000)); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if got := whole(t, resp, err); got != "too long" || !resp.Close {
		t.Errorf("%q, close %t", got, resp.Close)
	}
}
