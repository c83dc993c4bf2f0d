//go:build slow

package loop

import (
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/exchange"
)

// A late Resume of one exchange ends the Suspend of another.
func TestLateResumeReachesNobodyElse(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var calls []string
	var xs []*exchange.Exchange
	h := &fn{}
	h.req = func(x *exchange.Exchange) (exchange.Verdict, bool) {
		mu.Lock()
		defer mu.Unlock()
		calls = append(calls, string(append([]byte(nil), x.Request.Path...)))
		if x.Slots[1] == 0 {
			x.Slots[1] = 1
			xs = append(xs, x)
			return x.Suspend(), true
		}
		return x.RespondBytes(200, "", []byte("let in")), true
	}
	_, addr, _ := serve(t, Options{Handler: h})
	wait := func(n int) {
		for range 200 {
			mu.Lock()
			k := len(xs)
			mu.Unlock()
			if k == n {
				return
			}
			<-time.After(10 * time.Millisecond)
		}
		t.Fatal("not suspended")
	}
	a := dial(t, addr, 0)
	_, _ = io.WriteString(a, "GET /a HTTP/1.1\r\nHost: h\r\n\r\n")
	wait(1)
	a.Close()
	<-time.After(200 * time.Millisecond)
	b := dial(t, addr, 0)
	_, _ = io.WriteString(b, "GET /b HTTP/1.1\r\nHost: h\r\n\r\n")
	wait(2)
	xs[0].Resume() // the verdict on /a comes late
	_ = b.SetReadDeadline(time.Now().Add(time.Second))
	buf := make([]byte, 1000)
	n, _ := b.Read(buf)
	if n > 0 {
		t.Errorf("/b was let in by the verdict on /a: %q; calls %v; same exchange %t", buf[:n], calls, xs[0] == xs[1])
	}
}

// The request is readable in OnDone of an answer that left its batch.
func TestRequestIsReadableUntilItsAnswerHasLeft(t *testing.T) {
	t.Parallel()
	body := []byte(strings.Repeat("n", 300<<10))
	seen := make(chan string, 1000)
	h := &fn{}
	h.req = func(x *exchange.Exchange) (exchange.Verdict, bool) { return x.RespondBytes(200, "", body), true }
	h.done = func(x *exchange.Exchange, _ exchange.Record) { seen <- strings.Clone(x.Request.Target) }
	_, addr, _ := serve(t, Options{Handler: h})
	a := dial(t, addr, 32<<10)
	const n = 30
	go func() {
		_, _ = io.WriteString(a, strings.Repeat("GET /aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa HTTP/1.1\r\nHost: h\r\n\r\n", n))
	}()
	<-time.After(300 * time.Millisecond)
	b := dial(t, addr, 32<<10)
	go func() {
		_, _ = io.WriteString(b, strings.Repeat("GET /secret-of-another-client-h HTTP/1.1\r\nHost: h\r\n\r\n", n))
	}()
	<-time.After(300 * time.Millisecond)
	go func() { _, _ = io.Copy(io.Discard, a) }()
	go func() { _, _ = io.Copy(io.Discard, b) }()
	<-time.After(time.Second)
	got := map[string]int{}
	for len(seen) > 0 {
		got[<-seen]++
	}
	if got["/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"] != n || len(got) != 2 {
		t.Errorf("targets in OnDone: %v", got)
	}
}

// Resume after the client of a too long body got its 413.
func TestBodyThatIsTooLongEndsASuspendedRequest(t *testing.T) {
	t.Parallel()
	var xs []*exchange.Exchange
	h := &fn{}
	calls := 0
	h.req = func(x *exchange.Exchange) (exchange.Verdict, bool) {
		calls++
		if calls == 1 {
			xs = append(xs, x)
			return x.Suspend(), true
		}
		return x.RespondBytes(200, "", []byte("second")), true
	}
	_, addr, _ := serve(t, Options{Handler: h, MaxBody: 4})
	c := dial(t, addr, 0)
	_, _ = io.WriteString(c, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 50\r\n\r\nabcdefgh")
	<-time.After(200 * time.Millisecond)
	xs[0].Resume()
	_ = c.SetReadDeadline(time.Now().Add(time.Second))
	b, _ := io.ReadAll(c)
	if n := strings.Count(string(b), "HTTP/1.1"); n != 1 {
		t.Errorf("%q", b)
	}
	t.Logf("%q calls %d", b, calls)
}

// A bad body while the request is suspended; then it is resumed.
func TestResumeOfAnEndedExchangeDoesNothing(t *testing.T) {
	t.Parallel()
	xs := make(chan *exchange.Exchange, 1)
	var calls atomic.Int64
	done := make(chan exchange.Record, 4)
	h := &fn{target: parrot(t, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"), done: func(_ *exchange.Exchange, r exchange.Record) { done <- r }}
	h.req = func(x *exchange.Exchange) (exchange.Verdict, bool) {
		switch {
		case x.Request.Path == "/after":
			return x.RespondBytes(200, "", []byte("after")), true
		case calls.Add(1) == 1:
			v := x.Suspend()
			xs <- x
			return v, true
		}
		return 0, false // forward
	}
	_, addr, _ := serve(t, Options{Handler: h})
	c := dial(t, addr, 0)
	_, _ = io.WriteString(c, "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
	x := <-xs
	_, _ = io.WriteString(c, "zz\r\n")
	if b, err := io.ReadAll(c); err != nil || !strings.HasPrefix(string(b), "HTTP/1.1 400") || strings.Count(string(b), "HTTP/1.1") != 1 {
		t.Errorf("the client is told %q, %v, want 400 and the end", b, err)
	}
	if r := <-done; r.Refused != "chunk_size" || r.Status != 400 {
		t.Errorf("record %+v, want 400 because of chunk_size", r)
	}
	x.Resume() // external auth has ended
	after := dial(t, addr, 0)
	_, _ = io.WriteString(after, "GET /after HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
	if b, err := io.ReadAll(after); err != nil || !strings.HasSuffix(string(b), "after") { // behind it the Resume has come
		t.Errorf("after it: %q, %v", b, err)
	}
	<-done // of /after
	if n := calls.Load(); n != 1 || len(done) > 0 {
		t.Errorf("OnRequest was called %d times, and OnDone %d times more, want 1 and 0", n, len(done))
	}
}
