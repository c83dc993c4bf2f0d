package enginetest

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"github.com/unilb/unilb/impl/exchange"
)

// h2LargeHeadsPass in several frames each way.
func h2LargeHeadsPass(t *testing.T, b bench) {
	large := strings.Repeat("0123456789abcdef", 2<<10) // 32 KiB
	up := b.target(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Large", r.Header.Get("X-Large"))
		w.Header().Set("X-Larger", r.Header.Get("X-Large"))
	})
	url := b.serve(t, b.handler(up))
	c := b.client(t)
	for range 2 { // the second time from the tables of header compression
		req, err := http.NewRequest(http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Large", large)
		resp, err := c.Do(req)
		if whole(t, resp, err); resp.StatusCode != 200 || resp.Header.Get("X-Large") != large || resp.Header.Get("X-Larger") != large {
			t.Errorf("%d, a head of %d and %d bytes came back", resp.StatusCode, len(resp.Header.Get("X-Large")), len(resp.Header.Get("X-Larger")))
		}
	}
}

// h2SmallWindowsAreObeyed: the target's library ends the connection when they are not.
func h2SmallWindowsAreObeyed(t *testing.T, b bench) {
	up := b.target(t, echo, func(s *http.Server) {
		s.HTTP2 = &http.HTTP2Config{MaxReceiveBufferPerStream: 100, MaxReceiveBufferPerConnection: 65535}
	})
	h := b.handler(up)
	url := b.serve(t, h)
	c := b.client(t)
	if resp, err := c.Get(url); whole(t, resp, err) != "" { // now the window is known: it is the library's before
		t.Error("a body that nobody has sent came back")
	}
	body := strings.Repeat("x", 100<<10)
	if status, got := post(t, c, url, body); status != 200 || got != body {
		t.Errorf("%d, %d bytes came back of %d, failures %+v", status, len(got), len(body), h.Failures())
	}
}

// h2WholeAnswerBeforeAResetIsWhole: so a target says that it needs no more of a request
// (RFC 9113, 8.1).
func h2WholeAnswerBeforeAResetIsWhole(t *testing.T, b bench) {
	up := b.scripted(t, func(_ int, c *frames) {
		for {
			f, err := c.ReadFrame()
			if err != nil {
				return
			}
			if h, ok := f.(*http2.HeadersFrame); ok && !h.StreamEnded() {
				c.answer(h.StreamID, head200, "enough", true)
				_ = c.WriteRSTStream(h.StreamID, http2.ErrCodeNo) // the client tells
			}
		}
	})
	h := b.handler(up)
	url := b.serve(t, h)
	for range 3 {
		pr, pw := io.Pipe()
		ctx, cancel := context.WithCancel(t.Context())
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, pr)
		if err != nil {
			t.Fatal(err)
		}
		go func() { _, _ = io.WriteString(pw, "begin") }() // and never ends
		resp, err := b.client(t).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		got := make([]byte, len("enough"))
		if _, err := io.ReadFull(resp.Body, got); err != nil || resp.StatusCode != 200 || string(got) != "enough" {
			t.Errorf("%d %q %v", resp.StatusCode, got, err)
		}
		if r := <-h.Done; r.Cut || r.Status != 200 {
			t.Errorf("record %+v", r)
		}
		cancel()
		_ = pr.Close()
		_ = resp.Body.Close()
	}
}

// h2PaddingAndPingsAreNoBody.
func h2PaddingAndPingsAreNoBody(t *testing.T, b bench) {
	up := b.scripted(t, func(_ int, c *frames) {
		stream, ok := c.request()
		if !ok {
			return
		}
		c.answer(stream, head200, "", false)
		_ = c.WriteDataPadded(stream, false, []byte("one "), make([]byte, 200)) // the next read fails where this does
		_ = c.WritePing(false, [8]byte{1})
		for { // it goes on when the ping is answered
			f, err := c.ReadFrame()
			if err != nil {
				return
			}
			if p, ok := f.(*http2.PingFrame); ok && p.IsAck() && p.Data == [8]byte{1} {
				break
			}
		}
		_ = c.WriteRawFrame(0xbe, 0, stream, []byte("of an unknown type")) // likewise
		_ = c.WriteDataPadded(stream, true, []byte("two"), make([]byte, 255))
		c.rest()
	})
	url := b.serve(t, b.handler(up))
	resp, err := b.client(t).Get(url)
	if got := whole(t, resp, err); got != "one two" {
		t.Errorf("got %q", got)
	}
}

// h2TargetThatTakesNoMoreIsATimeout: it reads the connection, and gives the stream no
// room.
func h2TargetThatTakesNoMoreIsATimeout(t *testing.T, b bench) {
	release := make(chan struct{})
	up := b.target(t, func(http.ResponseWriter, *http.Request) { <-release })
	defer close(release)
	h := b.handler(up)
	h.plan.Send = 100 * time.Millisecond
	url := b.serve(t, h)
	c := b.client(t)
	c.Timeout = 10 * time.Second
	resp, err := c.Post(url, "", bytes.NewReader(make([]byte, 8<<20)))
	if err != nil { // it may not look at the answer before it has sent all
		t.Logf("the client: %v", err)
	} else if resp.Body.Close(); resp.StatusCode != http.StatusGatewayTimeout {
		t.Errorf("status %d", resp.StatusCode)
	}
	<-h.Done
	if f := h.Failures(); len(f) != 1 || f[0].Kind != exchange.TimedOutSend || !f[0].Sent || f[0].Replayable {
		t.Errorf("failures %+v", f)
	}
}

// h2TooLargeAHeadIsABadAnswer: it would be kept whole before anybody sees it.
func h2TooLargeAHeadIsABadAnswer(t *testing.T, b bench) {
	up := b.target(t, func(w http.ResponseWriter, _ *http.Request) {
		for range 200 {
			w.Header().Add("X-Large", strings.Repeat("0123456789abcdef", 256)) // 4 KiB
		}
	})
	h := b.handler(up)
	url := b.serve(t, h)
	resp, err := b.client(t).Get(url)
	whole(t, resp, err)
	if f := h.Failures(); resp.StatusCode != 502 || len(f) == 0 || f[0].Kind != exchange.BadAnswer {
		t.Errorf("%d, failures %+v", resp.StatusCode, f)
	}
}
