package enginetest

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"github.com/unilb/unilb/impl/exchange"
)

func h2SilentTargetIsATimeout(t *testing.T, b bench) {
	release := make(chan struct{})
	up := b.target(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/half" {
			fmt.Fprint(w, "half")
			_ = http.NewResponseController(w).Flush() // the reader tells
		}
		<-release
	})
	defer close(release)
	h := b.handler(up)
	h.plan.Read = 100 * time.Millisecond
	url := b.serve(t, h)
	c := b.client(t)
	resp, err := c.Get(url)
	whole(t, resp, err)
	if f := h.Failures(); resp.StatusCode != http.StatusGatewayTimeout || len(f) != 1 || f[0].Kind != exchange.TimedOutRead || !f[0].Sent {
		t.Errorf("status %d, failures %+v", resp.StatusCode, f)
	}
	<-h.Done
	pr, pw := io.Pipe()
	defer func() { _ = pr.Close() }()                  // it has no error
	go func() { _, _ = io.WriteString(pw, "begin") }() // and never ends
	for name, body := range map[string]io.Reader{"whole": strings.NewReader("request"), "unfinished": pr} {
		resp, err := c.Post(url+"/half", "", body)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(resp.Body); err == nil || string(got) != "half" {
			t.Errorf("%s: half an answer reads as %q, %v", name, got, err)
		}
		resp.Body.Close()
		if r := <-h.Done; !r.Cut || r.CutReason != exchange.CutTargetSilent {
			t.Errorf("%s: record %+v (%s), want cut, %s", name, r, r.CutReason, exchange.CutTargetSilent)
		}
	}
}

// h2RequestBeyondGoAwayIsSentAnew to the same target: it said that it has not looked at
// the request, and that only this connection ends.
func h2RequestBeyondGoAwayIsSentAnew(t *testing.T, b bench) {
	up := b.scripted(t, func(n int, c *frames) {
		for i := 0; ; i++ {
			stream, ok := c.request()
			if !ok {
				return
			}
			if n == 0 && i == 1 {
				_ = c.WriteGoAway(stream-2, http2.ErrCodeNo, nil)
				c.rest()
				return
			}
			c.answer(stream, head200, "ok", true)
		}
	})
	h := b.handler(up)
	url := b.serve(t, h)
	c := b.client(t)
	for i := range 3 {
		if status, body := post(t, c, url, "hello"); status != 200 || body != "ok" || len(h.Failures()) > 0 {
			t.Errorf("request %d: %d %q, failures %+v", i, status, body, h.Failures())
		}
	}
}

// h2StreamsBelowGoAwayEnd: an answer is under way when the connection is said to end.
func h2StreamsBelowGoAwayEnd(t *testing.T, b bench) {
	goOn := make(chan struct{})
	up := b.scripted(t, func(n int, c *frames) {
		stream, ok := c.request()
		if !ok {
			return
		}
		if n > 0 {
			c.answer(stream, head200, "second", true)
			c.rest()
			return
		}
		c.answer(stream, head200, "fi", false)
		_ = c.WriteGoAway(stream, http2.ErrCodeNo, nil)
		<-goOn
		_ = c.WriteData(stream, true, []byte("rst")) // the client tells
		c.rest()
	})
	url := b.serve(t, b.handler(up))
	c := b.client(t)
	first, err := c.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(first.Body, make([]byte, 2)); err != nil {
		t.Fatal(err)
	}
	if resp, err := c.Get(url); whole(t, resp, err) != "second" {
		t.Error("the second request went to the connection that ends")
	}
	close(goOn)
	if got := whole(t, first, nil); got != "rst" {
		t.Errorf("the rest of the answer is %q", got)
	}
}

func h2RefusedPostIsTriedAgain(t *testing.T, b bench) {
	refusing := b.scripted(t, func(_ int, c *frames) {
		for {
			stream, ok := c.request()
			if !ok {
				return
			}
			_ = c.WriteRSTStream(stream, http2.ErrCodeRefusedStream)
		}
	})
	up := b.target(t, echo)
	h := b.handler(refusing, up)
	url := b.serve(t, h)
	status, body := post(t, b.client(t), url, "hello")
	if f := h.Failures(); status != 200 || body != "hello" || len(f) != 1 || f[0].Sent || !f[0].Replayable {
		t.Errorf("%d %q, failures %+v", status, body, f)
	}
}

func h2PostThatWasResetIsNotTriedAgain(t *testing.T, b bench) {
	for _, code := range []http2.ErrCode{http2.ErrCodeInternal, http2.ErrCodeProtocol, http2.ErrCodeNo, http2.ErrCodeCancel} {
		resetting := b.scripted(t, func(_ int, c *frames) {
			for {
				stream, ok := c.request()
				if !ok {
					return
				}
				_ = c.WriteRSTStream(stream, code)
			}
		})
		var got atomic.Int64
		up := b.target(t, func(http.ResponseWriter, *http.Request) { got.Add(1) })
		h := b.handler(resetting, up)
		url := b.serve(t, h)
		status, _ := post(t, b.client(t), url, "hello")
		if f := h.Failures(); status != 502 || got.Load() != 0 || len(f) != 1 || !f[0].Sent || f[0].Kind != exchange.FailedRead {
			t.Errorf("%v: %d, second target got %d requests, failures %+v", code, status, got.Load(), f)
		}
		if resp, err := b.client(t).Get(url); whole(t, resp, err) != "" || resp.StatusCode != 200 || got.Load() != 1 {
			t.Errorf("%v: GET: %d, second target got %d requests", code, resp.StatusCode, got.Load())
		}
	}
}

// h2ResetWhileTheClientIsSlowIsSeen: nothing comes from the client that could show it.
func h2ResetWhileTheClientIsSlowIsSeen(t *testing.T, b bench) {
	up := b.scripted(t, func(_ int, c *frames) {
		for {
			f, err := c.ReadFrame()
			if err != nil {
				return
			}
			if d, ok := f.(*http2.DataFrame); ok {
				_ = c.WriteRSTStream(d.StreamID, http2.ErrCodeInternal)
			}
		}
	})
	h := b.handler(up)
	url := b.serve(t, h)
	pr, pw := io.Pipe()
	defer func() { _ = pr.Close() }()                  // it has no error
	go func() { _, _ = io.WriteString(pw, "begin") }() // and never ends
	begin := time.Now()
	resp, err := b.client(t).Post(url, "", pr)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if f := h.Failures(); resp.StatusCode != 502 || len(f) != 1 || f[0].Kind != exchange.FailedRead || !f[0].Sent || time.Since(begin) > 4*time.Second {
		t.Errorf("%d after %s, failures %+v", resp.StatusCode, time.Since(begin), f)
	}
}

func h2ResetInABodyCutsTheAnswer(t *testing.T, b bench) {
	var reset atomic.Bool
	up := b.scripted(t, func(_ int, c *frames) {
		for {
			stream, ok := c.request()
			if !ok {
				return
			}
			c.answer(stream, head200, "half", false)
			if reset.Swap(true) {
				return // and the connection ends
			}
			_ = c.WriteRSTStream(stream, http2.ErrCodeInternal) // the client tells
		}
	})
	h := b.handler(up)
	url := b.serve(t, h)
	for _, how := range []string{"stream", "connection"} {
		resp, err := b.client(t).Get(url)
		if err != nil { // the head may not have left when the answer was cut
			continue
		}
		if got, err := io.ReadAll(resp.Body); err == nil {
			t.Errorf("end of the %s: a broken answer reads as whole: %q", how, got)
		}
		resp.Body.Close()
		r := <-h.Done
		byEnd := how == "connection" && r.CutReason == exchange.CutTargetEnded // or a reset, when something of ours was not read
		if !r.Cut || r.CutReason != exchange.CutTargetReset && !byEnd {
			t.Errorf("end of the %s: record %+v (%s)", how, r, r.CutReason)
		}
	}
}

func h2TargetOfHTTP1IsNoTarget(t *testing.T, b bench) {
	var requests atomic.Int64
	s := http.Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.Method != "PRI" { // as the beginning of HTTP/2 reads
			requests.Add(1)
		}
	})}
	h := b.handler()
	if b.secure { // it takes no part in ALPN
		up, _, _ := target(t)
		h.targets = []string{up}
	} else {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		go func() { _ = s.Serve(ln) }()
		defer func() { _ = s.Close() }() // the test is over
		h.targets = []string{ln.Addr().String()}
	}
	url := b.serve(t, h)
	resp, err := b.client(t).Get(url)
	whole(t, resp, err)
	if f := h.Failures(); resp.StatusCode != 502 || requests.Load() != 0 || len(f) == 0 || b.secure && (f[0].Kind != exchange.FailedConnect || f[0].Sent) {
		t.Errorf("%d, the target got %d requests, failures %+v", resp.StatusCode, requests.Load(), f)
	}
}

func h2AnswerThatIsNoneIsABadAnswer(t *testing.T, b bench) {
	for name, answer := range map[string]func(c *frames, stream uint32){
		"a status that is no number": func(c *frames, stream uint32) { c.answer(stream, headBad, "ok", true) },
		"a body without a head":      func(c *frames, stream uint32) { _ = c.WriteData(stream, true, []byte("ok")) },
		"no header compression":      func(c *frames, stream uint32) { c.answer(stream, []byte{0xff, 0xff, 0xff}, "", true) },
		"a switch of protocols":      func(c *frames, stream uint32) { c.answer(stream, []byte("\x08\x03101"), "", false) },
	} {
		up := b.scripted(t, func(_ int, c *frames) {
			for {
				stream, ok := c.request()
				if !ok {
					return
				}
				answer(c, stream)
			}
		})
		h := b.handler(up)
		url := b.serve(t, h)
		for range 2 {
			status, _ := post(t, b.client(t), url, "hello")
			if f := h.Failures(); status != 502 || len(f) == 0 || f[len(f)-1].Kind != exchange.BadAnswer || !f[len(f)-1].Sent {
				t.Errorf("%s: %d, failures %+v", name, status, f)
			}
		}
	}
}

// h2ConnectionThatHasEndedIsNotTaken: the target ends its connection after each answer,
// and stays.
func h2ConnectionThatHasEndedIsNotTaken(t *testing.T, b bench) {
	closed := make(chan struct{}, 1)
	up := b.scripted(t, func(_ int, c *frames) {
		stream, ok := c.request()
		if !ok {
			return
		}
		c.answer(stream, head200, "ok", true)
		// Its end is on this machine then, and with the gateway's socket. (To close it
		// with unread bytes would destroy the answer.)
		if t, ok := c.conn.(*tls.Conn); ok {
			_ = t.CloseWrite()
			_ = t.NetConn().(*net.TCPConn).CloseWrite()
		} else {
			_ = c.conn.(*net.TCPConn).CloseWrite()
		}
		closed <- struct{}{}
		c.rest()
	})
	h := b.handler(up)
	url := b.serve(t, h)
	c := b.client(t)
	for i := range 100 {
		if status, body := post(t, c, url, "hello"); status != 200 || body != "ok" {
			t.Fatalf("request %d: %d %q, failures %+v", i, status, body, h.Failures())
		}
		<-closed
		<-h.Done
	}
}
