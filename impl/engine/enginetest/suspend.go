package enginetest

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/exchange"
)

func suspendedRequestGoesOnAfterResume(t *testing.T, start Starter) {
	up := Backend(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "late") })
	h := NewHandler(up)
	h.suspend = func(x *exchange.Exchange) { go x.Resume() }
	_, addr := start(t, Options{Handler: h})
	resp, err := http.Get("http://" + addr)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if b, _ := io.ReadAll(resp.Body); string(b) != "late" {
		t.Errorf("body %q", b)
	}
}

// A waiter is a Handler that suspends every request, as often as times says, and offers
// it to whoever shall resume it.
type waiter struct {
	*Handler
	times   uint64
	waiting chan *exchange.Exchange
}

func newWaiter(times uint64, target string) *waiter {
	return &waiter{Handler: NewHandler(target), times: times, waiting: make(chan *exchange.Exchange, 4)}
}

func (w *waiter) OnRequest(x *exchange.Exchange) exchange.Verdict {
	if x.Slots[1] == w.times {
		return w.Forward(x)
	}
	x.Slots[1]++
	v := x.Suspend()
	w.waiting <- x
	return v
}

// next is the next request that is suspended.
func (w *waiter) next(t *testing.T) *exchange.Exchange {
	t.Helper()
	select {
	case x := <-w.waiting:
		return x
	case <-time.After(10 * time.Second):
		t.Fatal("no request is suspended")
		return nil
	}
}

func (w *waiter) ended(t *testing.T) exchange.Record {
	t.Helper()
	select {
	case r := <-w.Done:
		return r
	case <-time.After(10 * time.Second):
		t.Fatal("the handler is not told of the end of an exchange")
		return exchange.Record{}
	}
}

func dialTo(t *testing.T, addr string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(20 * time.Second)) // sockets take them
	return c
}

// requestIsSuspendedTwice: and its body comes meanwhile, whole.
func requestIsSuspendedTwice(t *testing.T, start Starter) {
	up := Backend(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) })
	h := newWaiter(2, up)
	_, addr := start(t, Options{Handler: h})
	c := dialTo(t, addr)
	body := strings.Repeat("0123456789", 50_000) // more than is kept of a body
	answer := make(chan string, 1)
	go func() {
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			answer <- err.Error()
			return
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err == nil && string(b) == body {
			answer <- resp.Status
			return
		}
		answer <- fmt.Sprintf("%s, %d bytes, %v", resp.Status, len(b), err)
	}()
	send := func(b string) {
		if _, err := io.WriteString(c, b); err != nil {
			t.Fatal(err)
		}
	}
	send(fmt.Sprintf("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n%s", len(body), body[:1000]))
	for i := range 2 {
		x := h.next(t)
		go x.Resume()
		send(body[1000*(i+1) : 1000*(i+2)])
	}
	send(body[3000:])
	if got := <-answer; got != "200 OK" {
		t.Errorf("%s, want the body of the request", got)
	}
	if r := h.ended(t); r.Cut || r.Received != int64(len(body)) {
		t.Errorf("record %+v, want %d bytes received", r, len(body))
	}
}

// resumeAfterTheClientHasGoneReachesNobody: neither the request, which has ended, nor
// another that is suspended since.
func resumeAfterTheClientHasGoneReachesNobody(t *testing.T, start Starter) {
	up := Backend(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "in ", r.URL.Path) })
	h := newWaiter(1, up)
	_, addr := start(t, Options{Handler: h})
	for i := range 3 { // one at least gets memory of one before it, if that is how it is
		gone := dialTo(t, addr)
		fmt.Fprint(gone, "GET /gone HTTP/1.1\r\nHost: h\r\n\r\n")
		early := h.next(t)
		_ = gone.(*net.TCPConn).SetLinger(0) // a reset says that it is gone at once
		gone.Close()
		if r := h.ended(t); !r.Cut || r.CutReason != exchange.CutClientGone || r.Status != 0 {
			t.Errorf("record %+v of a client that has left", r)
		}
		c := dialTo(t, addr)
		fmt.Fprint(c, "GET /kept HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
		x := h.next(t)
		early.Resume()
		select {
		case r := <-h.Done:
			t.Fatalf("try %d: the request was let in by the Resume of another: %+v", i, r)
		case <-time.After(100 * time.Millisecond): // nothing tells that nothing happens
		}
		x.Resume()
		if got, err := io.ReadAll(c); err != nil || !strings.Contains(string(got), "in /kept") {
			t.Errorf("%q, %v", got, err)
		}
		if r := h.ended(t); r.Cut || r.Status != 200 {
			t.Errorf("record %+v", r)
		}
	}
}
