package enginetest

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
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
