package enginetest

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/exchange"
)

// holds waits until so many bytes of a budget are held.
func holds(t *testing.T, name string, b *exchange.Budget, want int64) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); b.Held() != want; <-time.After(time.Millisecond) { // it tells nobody
		if time.Now().After(deadline) {
			t.Fatalf("%s: %d bytes are held, want %d", name, b.Held(), want)
		}
	}
}

const chunkOfABody = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"

// bodiesAreChargedAsTheyCome: those who trickle leave all room but what they have sent to
// others, and of a body for which there is none its target still gets all.
func bodiesAreChargedAsTheyCome(t *testing.T, start Starter) {
	const clients, most = 60, 300 << 10
	h := newCollector(2*most, Backend(t, tells))
	h.budget = exchange.NewBudget(most)
	_, addr := start(t, Options{Handler: h})
	for range clients {
		fmt.Fprint(dialTo(t, addr), chunkOfABody)
		wait(t, h.asked, "the handler")
	}
	const trickled = clients * int64(len("hello"))
	holds(t, "trickling", h.budget, trickled)
	for _, left := range []int{0, 1, -1, 0, -most, 0} {
		body := strings.Repeat("y", most-int(trickled)-left)
		for name, r := range map[string]io.Reader{"length": strings.NewReader(body), "chunks": io.MultiReader(strings.NewReader(body))} {
			resp, err := http.Post("http://"+addr, "", r)
			if whole(t, resp, err); resp.Header.Get("X-Body") != told(body) {
				t.Errorf("%d bytes left, %s: the target saw %s, want %s", left, name, resp.Header.Get("X-Body"), told(body))
			}
			wait(t, h.asked, "the handler")
			switch g := h.next(t); {
			case left >= 0 && (g.state != exchange.BodyWhole || string(g.bytes) != body):
				t.Errorf("%d bytes left, %s: state %d with %d bytes, want all %d", left, name, g.state, len(g.bytes), len(body))
			case left < 0 && (g.state != exchange.BodyNoRoom || !strings.HasPrefix(body, string(g.bytes))):
				t.Errorf("%d bytes left, %s: state %d with %d bytes, want no room, and the beginning", left, name, g.state, len(g.bytes))
			}
			wait(t, h.Done, "record")
			if held := h.budget.Held(); held != trickled {
				t.Errorf("%d bytes left, %s: %d are held behind it, want the %d of others", left, name, held, trickled)
			}
		}
	}
}

// bodyForWhichThereIsNoRoomIsAnswered at once, wherever it was when it was asked for; one
// byte less is not.
func bodyForWhichThereIsNoRoomIsAnswered(t *testing.T, start Starter) {
	const most = 8
	h := newCollector(1000)
	h.then = func(x *exchange.Exchange) exchange.Verdict {
		return x.RespondBytes(200+int(x.Charged()), "", []byte("it"))
	}
	first := &afterSuspend{collector: h, waiting: make(chan *exchange.Exchange, 1)}
	_, addr := start(t, Options{Handler: first})
	for name, pieces := range map[string][]string{
		"with its head":    {"Content-Length: 8\r\n\r\n12345678", "", "Content-Length: 9\r\n\r\n12345678", "9"},
		"behind it":        {"Content-Length: 8\r\n\r\n", "12345678", "Content-Length: 90\r\n\r\n", "123456789"},
		"in pieces":        {"Content-Length: 8\r\n\r\n123", "45678", "Content-Length: 90\r\n\r\n12345", "6789"},
		"in chunks":        {"Transfer-Encoding: chunked\r\n\r\n3\r\n123\r\n", "5\r\n45678\r\n0\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n", "4\r\n6789\r\n"},
		"told to send":     {"Expect: 100-continue\r\nContent-Length: 8\r\n\r\n", "12345678", "Expect: 100-continue\r\nContent-Length: 9\r\n\r\n", "123456789"},
		"most of it later": {"Content-Length: 8\r\n\r\n1", "2345678", "Content-Length: 9\r\n\r\n1", "23456789"},
	} {
		for i, state := range []exchange.BodyState{exchange.BodyWhole, exchange.BodyNoRoom} {
			h.budget = exchange.NewBudget(most)
			c := dialTo(t, addr)
			fmt.Fprint(c, "POST / HTTP/1.1\r\nHost: h\r\n", pieces[2*i])
			wait(t, first.waiting, "the handler").Resume()
			wait(t, h.asked, "the handler")
			fmt.Fprint(c, pieces[2*i+1])
			g := h.next(t)
			if g.state != state || !strings.HasPrefix("123456789", string(g.bytes)) {
				t.Errorf("%s: state %d with %q, want %d", name, g.state, g.bytes, state)
			}
			br := bufio.NewReader(c)
			if name == "told to send" {
				line, _ := br.ReadString('\n')
				if end, err := br.ReadString('\n'); !strings.HasPrefix(line, "HTTP/1.1 100 ") || end != "\r\n" {
					t.Errorf("%s: %q %q %v, want 100", name, line, end, err)
				}
			}
			resp, err := http.ReadResponse(br, nil)
			if got := whole(t, resp, err); got != "it" || resp.StatusCode > 200+most || state == exchange.BodyWhole && resp.StatusCode != 200+most {
				t.Errorf("%s: %s %q; the number is what was charged, of %d", name, resp.Status, got, most)
			}
			if r := wait(t, h.Done, "record"); r.Cut || h.budget.Held() != 0 {
				t.Errorf("%s: record %+v, %d bytes are held", name, r, h.budget.Held())
			}
		}
	}
	h.limit = most
	c := dialTo(t, addr)
	fmt.Fprint(c, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 90\r\n\r\n123456789")
	wait(t, first.waiting, "the handler").Resume()
	if g := h.next(t); g.state != exchange.BodyTooLong {
		t.Errorf("one that is too long beside it: state %d, want that", g.state)
	}
}

// room is a request of which a part is held, and its end.
type room struct {
	*collector
	e    Engine
	conn *net.TCPConn
	// busy is told when the target has the request, which it answers when free is closed.
	busy, free chan struct{}
}

// whatABodyHoldsIsGivenBack, in whatever way its request ends, and not before.
func whatABodyHoldsIsGivenBack(t *testing.T, start Starter) {
	answers := func(x *exchange.Exchange) exchange.Verdict { return x.RespondBytes(403, "", []byte("no")) }
	sends := func(b string) func(*testing.T, room) {
		return func(_ *testing.T, r room) { fmt.Fprint(r.conn, b) } // who does not take it is no less done
	}
	ends := sends("5\r\nworld\r\n0\r\n\r\n")
	goes := func(_ *testing.T, r room) { _ = r.conn.SetLinger(0); _ = r.conn.Close() } // neither can fail here
	for name, c := range map[string]struct {
		o       Options
		limit   int // 0: 1000
		most    int64
		refuses bool // the first target
		then    func(*exchange.Exchange) exchange.Verdict
		end     func(*testing.T, room)
	}{
		"answered":                {then: answers, end: ends},
		"sent on":                 {end: func(t *testing.T, r room) { ends(t, r); r.works(t); close(r.free) }},
		"sent again":              {refuses: true, end: func(t *testing.T, r room) { ends(t, r); r.works(t); close(r.free) }},
		"gone behind it":          {end: func(t *testing.T, r room) { ends(t, r); r.works(t); goes(t, r) }},
		"too long":                {limit: 7, then: answers, end: ends},
		"no room":                 {most: 7, then: answers, end: ends},
		"gone":                    {end: goes},
		"half shut":               {end: func(_ *testing.T, r room) { _ = r.conn.CloseWrite() }}, // the same
		"stopped":                 {o: Options{BodyTimeout: 300 * time.Millisecond}, end: func(*testing.T, room) {}},
		"malformed":               {end: sends("zz\r\n")},
		"too long for the engine": {o: Options{MaxBody: 7}, end: ends},
		"panic":                   {then: func(*exchange.Exchange) exchange.Verdict { panic("the handler fails with the body") }, end: ends},
		"asked for again":         {then: func(x *exchange.Exchange) exchange.Verdict { return x.Collect(1000, nil) }, end: ends},
		"drained":                 {then: answers, end: func(t *testing.T, r room) { r.e.Drain(); ends(t, r) }},
		"engine closed": {end: func(t *testing.T, r room) {
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			if err := r.e.Shutdown(ctx); err == nil {
				t.Error("an engine with a request under way has shut down")
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			r := room{busy: make(chan struct{}, 1), free: make(chan struct{})}
			targets := []string{Backend(t, func(w http.ResponseWriter, req *http.Request) {
				tells(w, req)
				r.busy <- struct{}{}
				await(r.free, req)
			})}
			if c.refuses {
				targets = append([]string{refusing(t)}, targets...)
			}
			r.collector = newCollector(cmp.Or(c.limit, 1000), targets...)
			r.then, r.budget = c.then, exchange.NewBudget(1000)
			if c.most > 0 {
				r.budget = exchange.NewBudget(c.most)
			}
			c.o.Handler = r.collector
			var addr string
			r.e, addr = start(t, c.o)
			r.conn = dialHalf(t, addr)
			fmt.Fprint(r.conn, chunkOfABody)
			holds(t, name, r.budget, 5)
			c.end(t, r)
			wait(t, r.Done, "record")
			if held := r.budget.Held(); held != 0 {
				t.Errorf("%d bytes are held behind the request", held)
			}
		})
	}
}

// works waits for the target to have the request, all of whose body is held still.
func (r room) works(t *testing.T) {
	t.Helper()
	wait(t, r.busy, "the target")
	if held := r.budget.Held(); held != 10 {
		t.Errorf("%d bytes are held while the target works, want 10", held)
	}
}
