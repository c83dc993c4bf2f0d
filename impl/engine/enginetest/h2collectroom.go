package enginetest

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"github.com/unilb/unilb/impl/exchange"
)

// h2BodiesAreChargedAsTheyCome: streams that trickle leave all room but what they have sent
// to another, which comes by their connection, and give theirs back in whatever way they
// end.
func h2BodiesAreChargedAsTheyCome(t *testing.T, f front) {
	const streams, most = 60, 1000
	h := newCollector(2*most, refusing(t))
	h.budget = exchange.NewBudget(most)
	h.then = func(x *exchange.Exchange) exchange.Verdict { return x.RespondBytes(403, "", []byte("no")) }
	_, url := f.serve(t, Options{Handler: h})
	c, conn := f.connect(t, url)
	begin := func(stream uint32) {
		c.head(stream, false, ":method", "POST", ":scheme", "http", ":authority", "h", ":path", "/")
		wait(t, h.asked, "the handler")
	}
	send := func(stream uint32, n int, end bool) {
		if err := c.WriteData(stream, end, make([]byte, n)); err != nil {
			t.Fatal(err)
		}
	}
	for i := range uint32(streams) {
		begin(2*i + 1)
		send(2*i+1, 5, false)
	}
	holds(t, "trickling", h.budget, streams*5)
	const left = most - streams*5
	for i, state := range []exchange.BodyState{exchange.BodyWhole, exchange.BodyNoRoom} {
		stream, n := uint32(2*(streams+i)+1), left+i
		begin(stream)
		send(stream, n, false)
		if n == left {
			send(stream, 0, true)
		}
		if g := h.next(t); g.state != state || len(g.bytes) != n {
			t.Errorf("%d bytes: state %d with %d, want %d", n, g.state, len(g.bytes), state)
		}
		wait(t, h.Done, "record")
		if held := h.budget.Held(); held != streams*5 {
			t.Errorf("%d bytes: %d are held behind them", n, held)
		}
	}
	send(1, 5, true)
	holds(t, "answered", h.budget, streams*5-5)
	if err := c.WriteRSTStream(3, http2.ErrCodeCancel); err != nil {
		t.Fatal(err)
	}
	holds(t, "reset", h.budget, streams*5-10)
	_ = conn.Close() // cannot fail here
	holds(t, "gone", h.budget, 0)
}

// h2BodyThatStopsGivesBackWhatItHeld.
func h2BodyThatStopsGivesBackWhatItHeld(t *testing.T, f front) {
	h := newCollector(1000, refusing(t))
	h.budget = exchange.NewBudget(1000)
	_, url := f.serve(t, Options{Handler: h, BodyTimeout: 400 * time.Millisecond})
	c := f.dial(t, url)
	c.head(1, false, ":method", "POST", ":scheme", "http", ":authority", "h", ":path", "/")
	if err := c.WriteData(1, false, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	holds(t, "begun", h.budget, 5)
	h.untold(t, "stopped", exchange.CutClientNotSending)
	if held := h.budget.Held(); held != 0 {
		t.Errorf("%d bytes are held", held)
	}
}

// h2NoRoomLeavesTheConnectionItsWindow: what came of bodies for which there is no room, and
// what is on its way then, counts for it no more.
func h2NoRoomLeavesTheConnectionItsWindow(t *testing.T, f front) {
	const bodies, size, larger = 60, 200 << 10, 8 << 20
	h := newCollector(size, Backend(t, tells))
	h.budget = exchange.NewBudget(10)
	h.then = func(x *exchange.Exchange) exchange.Verdict { return x.RespondBytes(503, "", []byte("no room")) }
	_, url := f.serve(t, Options{Handler: h})
	c := f.client(t)
	c.Timeout = 20 * time.Second
	for i := range bodies {
		resp, err := c.Post(url, "", io.LimitReader(zeros{}, size))
		if got := whole(t, resp, err); got != "no room" || resp.StatusCode != http.StatusServiceUnavailable {
			t.Fatalf("body %d: %s %q", i, resp.Status, got)
		}
		wait(t, h.asked, "the handler")
		if g := h.next(t); g.state != exchange.BodyNoRoom {
			t.Fatalf("body %d: state %d", i, g.state)
		}
		wait(t, h.Done, "record")
	}
	body := strings.Repeat("z", larger)
	resp, err := c.Post(url+"/plain", "", strings.NewReader(body))
	if whole(t, resp, err); resp.Header.Get("X-Body") != told(body) {
		t.Errorf("behind them the target saw %s, want %s", resp.Header.Get("X-Body"), told(body))
	}
}
