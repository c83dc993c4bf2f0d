package loop

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/http2"
)

// TestRequestsThatOthersGiveUpEndNobodysAnswer: Go's server ends a connection when five
// times as many requests as it takes at once are being worked at, given up or not.
func TestRequestsThatOthersGiveUpEndNobodysAnswer(t *testing.T) {
	const limit, all = 10, 100
	goOn, end := make(chan struct{}), make(chan struct{})
	var mu sync.Mutex
	peers := map[string]bool{}
	up := target2(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		peers[r.RemoteAddr] = true
		mu.Unlock()
		if r.URL.Path != "/slow" {
			<-end // it does not notice that nobody waits
			return
		}
		fmt.Fprint(w, "be")
		_ = http.NewResponseController(w).Flush()
		<-goOn
		fmt.Fprint(w, "gin")
	}, &http.HTTP2Config{MaxConcurrentStreams: limit})
	defer close(end)
	h := newOver2(up)
	e, addr := startLoops(t, Options{Handler: h})
	slow, err := http.Get("http://" + addr + "/slow")
	if err != nil {
		t.Fatal(err)
	}
	for range all { // each is another client
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: h\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		onLoop(t, e, "the request has been sent", func(l *loop) bool { return under(l, 2) })
		resetConn(c)
		onLoop(t, e, "the request is given up", func(l *loop) bool { return under(l, 1) })
	}
	close(goOn)
	if got := whole(t, slow, nil); got != "begin" {
		t.Errorf("the answer that was waited for is %q", got)
	}
	mu.Lock()
	defer mu.Unlock()
	if n := len(peers); n < 2 || n > all/limit {
		t.Errorf("%d requests that were given up took %d connections", all, n)
	}
	if f := h.failed(); len(f) != all { // each client has gone
		t.Errorf("%d failures, want %d", len(f), all)
	}
}

// resetConn ends a connection so that nobody waits for its client: it may have shut down
// its side only otherwise.
func resetConn(c net.Conn) {
	_ = c.(*net.TCPConn).SetLinger(0) // it fails only where the connection has ended
	_ = c.Close()                     // the same
}

// under tells that so many requests are under way, each with a stream.
func under(l *loop, want int) bool {
	n := 0
	for _, s := range l.socks {
		if s == nil {
			continue
		}
		if t, ok := s.owner.(*trunk); ok {
			for _, b := range t.branches {
				if b.begun {
					n++
				}
			}
		}
	}
	return n == want
}

// TestConnectionEndsBeforeTooManyOfItsRequestsAreGivenUp, with those that are under way
// when it has had enough.
func TestConnectionEndsBeforeTooManyOfItsRequestsAreGivenUp(t *testing.T) {
	const all = maxGivenUp + 2*streamsOut
	resets := make(chan int, all) // by connection
	up := frames2(t, func(n int, fr *http2.Framer, _ net.Conn) {
		_ = fr.WriteSettings()
		for {
			f, err := fr.ReadFrame()
			if err != nil {
				return
			}
			if f, ok := f.(*http2.RSTStreamFrame); ok && f.ErrCode == http2.ErrCodeCancel {
				resets <- n
			}
		}
	})
	e, addr := startLoops(t, Options{Handler: newOver2(up)})
	for _, n := range []int{maxGivenUp, streamsOut, streamsOut} { // of which all go at once
		var clients []net.Conn
		for range n {
			c, err := net.Dial("tcp", addr)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: h\r\n\r\n"); err != nil {
				t.Fatal(err)
			}
			clients = append(clients, c)
		}
		onLoop(t, e, "all requests have been sent", func(l *loop) bool { return under(l, n) })
		for _, c := range clients {
			resetConn(c)
		}
		onLoop(t, e, "all requests are given up", func(l *loop) bool { return under(l, 0) })
	}
	by := map[int]int{}
	for i := range all {
		select {
		case n := <-resets:
			by[n]++
		case <-time.After(20 * time.Second):
			t.Fatalf("%d of %d were given up: %v", i, all, by)
		}
	}
	for n, given := range by {
		if given >= 200 {
			t.Errorf("%d requests were given up on connection %d of %d", given, n, len(by))
		}
	}
}
