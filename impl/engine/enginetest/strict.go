package enginetest

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/exchange"
)

// rawTarget serves each connection by a function.
func rawTarget(t *testing.T, serve func(net.Conn, *bufio.Reader)) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				serve(c, bufio.NewReader(c))
			}()
		}
	}()
	return ln.Addr().String()
}

func switchThatNobodyAskedForIsABadAnswer(t *testing.T, start Starter) {
	up := rawTarget(t, func(c net.Conn, br *bufio.Reader) {
		if _, err := http.ReadRequest(br); err == nil {
			_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nsecret")
		}
	})
	h := NewHandler(up)
	_, addr := start(t, Options{Handler: h})
	got := Raw(t, addr, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
	if !strings.HasPrefix(got, "HTTP/1.1 502") || strings.Contains(got, "secret") {
		t.Errorf("got %q, want 502 and nothing of the target", got)
	}
	if f := h.Failures(); len(f) != 1 || f[0].Kind != exchange.BadAnswer {
		t.Errorf("failures %+v, want one bad answer", f)
	}
}

// earlyAnswerEndsTheConnectionToItsTarget: the target may read the rest of the body, or
// take what comes next for it. No other request is sent there.
func earlyAnswerEndsTheConnectionToItsTarget(t *testing.T, start Starter) {
	behind := make(chan string, 1) // what the target got after its answer
	up := rawTarget(t, func(c net.Conn, br *bufio.Reader) {
		for {
			r, err := http.ReadRequest(br)
			if err != nil {
				return
			}
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nX-Method: "+r.Method+"\r\nContent-Length: 0\r\n\r\n")
			if r.Method == http.MethodPost {
				_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
				b, err := io.ReadAll(br) // may end with a reset
				if os.IsTimeout(err) {
					b = append(b, " and no end"...)
				}
				behind <- string(b)
				return
			}
		}
	})
	_, addr := start(t, Options{Handler: NewHandler(up)})
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	fmt.Fprint(c, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 60\r\n\r\nhello")
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil || resp.StatusCode != http.StatusOK || !resp.Close {
		t.Fatalf("answer %+v, %v, want 200 and the end", resp, err)
	}
	_ = resp.Body.Close()
	for range 3 {
		if got := Raw(t, addr, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"); !strings.Contains(got, "\r\nX-Method: GET\r\n") {
			t.Errorf("the next request got %q", got)
		}
	}
	if got := <-behind; !strings.HasPrefix("hello", got) {
		t.Errorf("behind the head of the first request came %q, want at most its body and the end", got)
	}
}

// headThatNeverEndsIsGivenUp: the limit is one of the whole head, however its bytes
// trickle in.
func headThatNeverEndsIsGivenUp(t *testing.T, start Starter) {
	h := NewHandler()
	_, addr := start(t, Options{Handler: h, HeadTimeout: 500 * time.Millisecond})
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: h\r\nX: ")
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				_, _ = io.WriteString(c, "x") // fails when the engine has had enough
			}
		}
	}()
	_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
	b, err := io.ReadAll(c) // ends when the connection does, perhaps with a reset
	if os.IsTimeout(err) || len(b) > 0 && !strings.HasPrefix(string(b), "HTTP/1.1 408") {
		t.Errorf("got %q, %v, want the end", b, err)
	}
}

// fieldsWithUnderscoresPassAsTheyAre: they are other fields than those with hyphens,
// also where those frame or route.
func fieldsWithUnderscoresPassAsTheyAre(t *testing.T, start Starter) {
	up := Backend(t, func(w http.ResponseWriter, r *http.Request) {
		for name, values := range r.Header {
			if strings.Contains(name, "_") {
				w.Header().Set("X-Saw-"+strings.ToLower(name), strings.Join(values, ","))
			}
		}
		fmt.Fprintf(w, "%d %v", r.ContentLength, r.TransferEncoding)
	})
	_, addr := start(t, Options{Handler: NewHandler(up)})
	got := Raw(t, addr, "GET / HTTP/1.1\r\nHost: h\r\ncontent_length: 5\r\ntransfer_encoding: chunked\r\nx_user: me\r\nConnection: close\r\n\r\n")
	for _, want := range []string{"x-saw-content_length: 5\r\n", "x-saw-transfer_encoding: chunked\r\n", "x-saw-x_user: me\r\n", "\r\n\r\n0 []"} {
		if !strings.Contains(strings.ToLower(got), want) {
			t.Errorf("answer lacks %q: %q", want, got)
		}
	}
}
