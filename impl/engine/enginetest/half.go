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

// clientThatHasShutDownItsSideIsAnswered also with a body, and over pauses of an answer
// that are long enough for an engine to notice, and shorter than it waits.
func clientThatHasShutDownItsSideIsAnswered(t *testing.T, start Starter) {
	const pause = 100 * time.Millisecond
	half := make(chan struct{}, 3)
	up := Backend(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-half
		for _, part := range []string{"first ", "last"} {
			select {
			case <-r.Context().Done():
				return
			case <-time.After(pause): // it can only be seen not to happen
			}
			fmt.Fprint(w, part)
			_ = http.NewResponseController(w).Flush() // fails only on a dead connection
		}
	})
	h := NewHandler(up)
	_, addr := start(t, Options{Handler: h})
	for _, request := range []string{
		"GET / HTTP/1.1\r\nHost: h\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody",
		"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n",
	} {
		c := dialHalf(t, addr)
		fmt.Fprint(c, request)
		if err := c.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		half <- struct{}{}
		br := bufio.NewReader(c)
		resp, err := http.ReadResponse(br, nil)
		if err != nil {
			t.Fatalf("%q: no answer: %v", request, err)
		}
		b, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if string(b) != "first last" || err != nil {
			t.Errorf("%q: answer %q %v, want all of it", request, b, err)
		}
		if b, err := io.ReadAll(br); len(b) > 0 || err != nil {
			t.Errorf("%q: %q %v after the answer, want the end", request, b, err)
		}
		if r := <-h.Done; r.Cut || r.Status != 200 {
			t.Errorf("%q: record %+v, want a whole answer", request, r)
		}
	}
}

// clientThatShutsDownItsSideInARequestIsGone at once: nothing of the request is to come.
func clientThatShutsDownItsSideInARequestIsGone(t *testing.T, start Starter) {
	up := Backend(t, func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) })
	h := NewHandler(up)
	_, addr := start(t, Options{Handler: h})
	c := dialHalf(t, addr)
	began := time.Now()
	fmt.Fprint(c, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbo")
	if err := c.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if r := <-h.Done; !r.Cut || r.Status != 0 {
		t.Errorf("record %+v, want no answer", r)
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("the request ended after %v, want it at once", took)
	}
	if f := h.Failures(); len(f) > 1 || len(f) == 1 && f[0].Kind != exchange.ClientGone {
		t.Errorf("failures %+v, want the client to be gone", f)
	}
}

// halfClosedClientIsWaitedForWhileItIsSentSomething, and not for longer, whether its end
// comes with the request or later, and whether it is there or not.
func halfClosedClientIsWaitedForWhileItIsSentSomething(t *testing.T, start Starter) {
	const limit, pause = 300 * time.Millisecond, 100 * time.Millisecond
	entered := make(chan struct{}, 1)
	up := Backend(t, func(w http.ResponseWriter, r *http.Request) {
		entered <- struct{}{}
		if r.URL.Path == "/silent" {
			<-r.Context().Done()
			return
		}
		for range 8 { // for longer than the limit
			select {
			case <-r.Context().Done():
				return
			case <-time.After(pause): // the pace of the answer is what is tried
			}
			fmt.Fprint(w, "part ")
			_ = http.NewResponseController(w).Flush() // fails only on a dead connection
		}
	})
	h := NewHandler(up)
	_, addr := start(t, Options{Handler: h, HalfClose: limit})
	for _, path := range []string{"/silent", "/drip"} {
		for _, later := range []bool{false, true} {
			c := dialHalf(t, addr)
			fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: h\r\n\r\n", path)
			if later {
				<-entered
			}
			began := time.Now()
			if err := c.CloseWrite(); err != nil {
				t.Fatal(err)
			}
			if !later {
				<-entered
			}
			b, _ := io.ReadAll(c) // cut or not: the record says it
			r := <-h.Done
			took := time.Since(began)
			if whole := path == "/drip"; r.Cut == whole || whole && !strings.HasSuffix(string(b), "0\r\n\r\n") {
				t.Errorf("%s, the end comes later: %v: record %+v after %v, got %q", path, later, r, took, b)
			}
			if most := 4 * time.Second; path == "/silent" && (took < limit || took > most) {
				t.Errorf("%s, the end comes later: %v: cut after %v, want %v to %v", path, later, took, limit, most)
			}
		}
	}
}

// tunnelOfAHalfClosedClientEnds: upgraded connections have no half-close.
func tunnelOfAHalfClosedClientEnds(t *testing.T, start Starter) {
	ended := make(chan struct{})
	goOn := make(chan struct{})
	up := Backend(t, func(w http.ResponseWriter, _ *http.Request) {
		c, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer c.Close()
		<-goOn
		fmt.Fprint(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
		_, _ = io.Copy(io.Discard, c) // the end is what is waited for
		close(ended)
	})
	_, addr := start(t, Options{Handler: NewHandler(up)})
	c := dialHalf(t, addr)
	fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
	if err := c.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	<-time.After(50 * time.Millisecond) // the end may have been found by then, and must not be lost
	close(goOn)
	select {
	case <-ended:
	case <-time.After(4 * time.Second): // less than the read timeout of the plan
		t.Error("the tunnel stands although its client has ended")
	}
}

func dialHalf(t *testing.T, addr string) *net.TCPConn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() }) // nothing of it is needed any more
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	return c.(*net.TCPConn)
}
