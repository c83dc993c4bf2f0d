//go:build slow

package loop

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/exchange"
)

// Spliced, the client pauses longer than the target's read timeout.
func TestSlowClientIsNotASlowTarget(t *testing.T) {
	t.Parallel()
	const size = 16 << 20
	target, _ := large(t, size, size)
	h := &fn{target: target, plan: exchange.Plan{Read: 500 * time.Millisecond}}
	_, addr, _ := serve(t, Options{Handler: h})
	c := dial(t, addr, 32<<10)
	_, _ = io.WriteString(c, get)
	<-time.After(2 * time.Second)
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Errorf("%d of %d: %v, %s", n, size, err, h.say())
	}
}

// Spliced, the client stalls once, then is quick; the target is steady.
func TestOneStallDoesNotEndALongDownload(t *testing.T) {
	t.Parallel()
	const first, piece, pieces = 12 << 20, 100 << 10, 30
	total := first + piece*pieces
	target := listen(t, 0, func(c net.Conn) {
		br := bufio.NewReader(c)
		if _, err := http.ReadRequest(br); err != nil {
			return
		}
		fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", total)
		_, _ = c.Write(make([]byte, first))
		for range pieces {
			<-time.After(100 * time.Millisecond)
			_, _ = c.Write(make([]byte, piece))
		}
		_, _ = br.ReadByte()
	})
	h := &fn{target: target}
	_, addr, _ := serve(t, Options{Handler: h, BodyTimeout: time.Second})
	c := dial(t, addr, 32<<10)
	_, _ = io.WriteString(c, get)
	<-time.After(300 * time.Millisecond) // the only stall
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	if n, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Errorf("%d of %d after %s: %v, %s", n, total, time.Since(begin), err, h.say())
	}
}

// The answer begins before the request's body ends, and goes on longer than BodyTimeout.
func TestAnswerMayTakeLongerThanItsRequest(t *testing.T) {
	t.Parallel()
	target := listen(t, 0, func(c net.Conn) {
		br := bufio.NewReader(c)
		r, err := http.ReadRequest(br)
		if err != nil {
			return
		}
		b := make([]byte, 5)
		_, _ = io.ReadFull(r.Body, b)
		fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")
		_, _ = io.ReadFull(r.Body, b)
		_, _ = io.WriteString(c, "hello")
		<-time.After(2 * time.Second)
		_, _ = io.WriteString(c, "world")
		_, _ = br.ReadByte()
	})
	h := &fn{target: target}
	_, addr, _ := serve(t, Options{Handler: h, BodyTimeout: 500 * time.Millisecond})
	c := dial(t, addr, 0)
	_, _ = io.WriteString(c, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabcde")
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(c, "fghij")
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Errorf("got %q, %v; %s", b, err, h.say())
	}
}

// The target takes nothing of a body for longer than BodyTimeout, within Send.
func TestSlowTargetIsNotASlowClient(t *testing.T) {
	t.Parallel()
	const size = 16 << 20
	target := listen(t, 16<<10, func(c net.Conn) {
		br := bufio.NewReaderSize(c, 1000)
		r, err := http.ReadRequest(br)
		if err != nil {
			return
		}
		<-time.After(2 * time.Second)
		n, err := io.Copy(io.Discard, r.Body)
		fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Got: %d %v\r\n\r\n", n, err)
		_, _ = br.ReadByte()
	})
	h := &fn{target: target, plan: exchange.Plan{Send: 20 * time.Second}}
	_, addr, _ := serve(t, Options{Handler: h, BodyTimeout: 500 * time.Millisecond})
	resp, err := http.Post("http://"+addr, "", io.LimitReader(&zero{}, size))
	if err != nil {
		t.Fatalf("%v; %s", err, h.say())
	}
	if resp.StatusCode != 200 {
		t.Errorf("%d; %s", resp.StatusCode, h.say())
	}
}

// A client that reads nothing of a chunked answer.
func TestClientThatReadsNothingIsSentAway(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		b := make([]byte, 8000)
		for range 5000 {
			if _, err := w.Write(b); err != nil {
				return
			}
		}
	}))
	defer s.Close()
	h := &fn{target: s.Listener.Addr().String(), plan: exchange.Plan{Read: 500 * time.Millisecond}}
	e, addr, _ := serve(t, Options{Handler: h, BodyTimeout: 500 * time.Millisecond, IdleTimeout: 500 * time.Millisecond})
	c := dial(t, addr, 32<<10)
	_, _ = io.WriteString(c, get)
	<-time.After(6 * time.Second)
	if n := e.InFlight(); n != 0 {
		t.Errorf("%d in flight 6 s after the client stopped to read, BodyTimeout 0.5 s", n)
	}
}

// A slow reader on a kept connection, whose exchange has ended, is not idle.
func TestSlowReaderIsNotIdle(t *testing.T) { slowReader(t, "", 450, 20*time.Second, time.Second) }

// And on one that is to close. Truncation must not look like the end.
func TestSlowReaderOfTheLastAnswerGetsAll(t *testing.T) {
	slowReader(t, "Connection: close\r\n", 540, 2*time.Second, 20*time.Second)
}

func TestSlowReaderOfHTTP10GetsAll(t *testing.T) {
	slowReader(t, "1.0", 600, 2*time.Second, 20*time.Second)
}
