//go:build slow

package loop

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/exchange"
)

// A panic of the handler, in a request that is taken up after the events.
func TestPanicOfAHeldRequestEndsItsConnectionOnly(t *testing.T) {
	t.Parallel()
	done := make(chan exchange.Record, 8)
	h := &fn{target: parrot(t, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"), done: func(_ *exchange.Exchange, r exchange.Record) { done <- r }}
	h.req = func(x *exchange.Exchange) (exchange.Verdict, bool) {
		if x.Request.Path == "/panic" {
			panic("handler")
		}
		return 0, false
	}
	_, addr, _ := serve(t, Options{Handler: h})
	other := dial(t, addr, 0)
	one := make([]byte, 1000)
	ask := func(when string) {
		t.Helper()
		_, _ = io.WriteString(other, get)
		if n, err := other.Read(one); err != nil || !strings.HasSuffix(string(one[:n]), "hello") {
			t.Errorf("%s another connection: %q, %v", when, one[:n], err)
		}
	}
	ask("before it,")
	c := dial(t, addr, 0)
	_, _ = io.WriteString(c, get+"GET /panic HTTP/1.1\r\nHost: h\r\n\r\n"+get)
	b, err := io.ReadAll(c) // the end of it is a reset, which may take what came before
	if ne := net.Error(nil); errors.As(err, &ne) && ne.Timeout() || strings.Count(string(b), "HTTP/1.1") > 1 {
		t.Errorf("the client of the panic got %q, %v, want one answer at most and the end", b, err)
	}
	ask("after it,")
	for i, cut := range []bool{false, false, true, false} { // before, the first of the three, the panic, after
		select {
		case r := <-done:
			if r.Cut != cut || r.Cut && r.CutReason != exchange.CutInternal {
				t.Errorf("record %d: %+v, want one that is cut for internal: %t", i, r, cut)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("%d records, want 4", i)
		}
	}
}

// After a panic in a resumed request messages get lost or are carried out twice.
func TestPanicOfAResumedRequestEndsItsConnectionOnly(t *testing.T) {
	t.Parallel()
	h := &fn{}
	h.req = func(x *exchange.Exchange) (exchange.Verdict, bool) {
		if x.Slots[1] == 0 {
			x.Slots[1] = 1
			v := x.Suspend()
			go x.Resume()
			return v, true
		}
		if x.Request.Path == "/panic" {
			panic("handler")
		}
		return x.RespondBytes(200, "", []byte("ok")), true
	}
	e, addr, _ := serve(t, Options{Handler: h})
	c := dial(t, addr, 0)
	_, _ = io.WriteString(c, "GET /panic HTTP/1.1\r\nHost: h\r\n\r\n")
	_ = c.SetReadDeadline(time.Now().Add(time.Second))
	n, err := c.Read(make([]byte, 10))
	if ne := net.Error(nil); errors.As(err, &ne) && ne.Timeout() {
		t.Errorf("the client of the panic waits: %d %v, in flight %d", n, err, e.InFlight())
	}
	var bad atomic.Int64
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			client := &http.Client{Transport: &http.Transport{}, Timeout: 3 * time.Second}
			defer client.CloseIdleConnections()
			for range 300 {
				resp, err := client.Get("http://" + addr)
				if err != nil {
					bad.Add(1)
					return
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
			}
		})
	}
	wg.Wait()
	if bad.Load() > 0 {
		t.Errorf("%d of 16 clients got no answer after another's panic", bad.Load())
	}
}

// After a panic of one message, later ones are carried out once each.
func TestMailIsCarriedOutAfterAPanic(t *testing.T) {
	t.Parallel()
	m, err := newMailbox()
	if err != nil {
		t.Fatal(err)
	}
	l := &loop{mail: m, e: &Engine{o: Options{Log: slog.New(slog.DiscardHandler)}}}
	read := func() {
		defer func() { _ = recover() }()
		l.read()
	}
	ran := map[int]int{}
	post := func(i int) { m.post(func() { ran[i]++ }) }
	for i := range 4 {
		post(i)
	}
	read()
	for i := range 4 {
		post(10 + i)
	}
	read()
	m.post(func() { panic("x") })
	post(20)
	read()
	m.post(func() { ran[30]++; post(33); post(34) }) // as another goroutine may meanwhile
	post(31)
	post(32)
	for range 5 {
		read()
	}
	for _, i := range []int{20, 30, 31, 32, 33, 34} {
		if ran[i] != 1 {
			t.Errorf("message %d was carried out %d times", i, ran[i])
		}
	}
}
