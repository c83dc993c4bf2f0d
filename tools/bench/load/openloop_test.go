package load

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func runOpen(t *testing.T, o OpenOrder) Outcome {
	t.Helper()
	out, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestResponderAndOpenLoopAgree(t *testing.T) {
	r, at := testResponder(t)
	go func() { _ = r.run() }() // it ends with the process
	for body, n := range Bodies {
		resp, err := http.Get("http://" + at.String() + "/r1/" + body)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || !bytes.Equal(got, BodyOf(n)) {
			t.Errorf("%s: %d bytes, %v, want the %d of the body", body, len(got), err, n)
		}
	}
	pipelined(t, at)
	const rate = 500
	o := runOpen(t, OpenOrder{At: at, Requests: []string{"GET /r1/16k HTTP/1.1\r\nHost: a\r\n\r\n"}, Conns: 8, Rate: rate, For: 400 * time.Millisecond, Patience: 20 * time.Second})
	if o.Requests != 200 || o.Errors != 0 || o.Took < 0.39 {
		t.Errorf("got %+v, want 200 requests in no less than 0.4 s", o)
	}
}

// pipelined asks for more than a socket holds before it reads.
func pipelined(t *testing.T, at netip.AddrPort) {
	t.Helper()
	const many = 16
	c, err := net.Dial("tcp4", at.String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c, strings.Repeat("GET /1m HTTP/1.1\r\nHost: a\r\n\r\n", many)); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(c)
	for i := range many {
		resp, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatalf("answer %d of %d: %v", i+1, many, err)
		}
		got, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || !bytes.Equal(got, BodyOf(1<<20)) {
			t.Fatalf("answer %d of %d: %d bytes, %v", i+1, many, len(got), err)
		}
	}
}

// stub answers requests one after the other, on one connection after the other.
func stub(t *testing.T, answer func(n int) string) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for n := 0; ; {
			c, err := l.Accept()
			if err != nil {
				return
			}
			for in := bufio.NewReader(c); ; n++ {
				if _, err := http.ReadRequest(in); err != nil {
					break
				}
				text := answer(n)
				if _, err := io.WriteString(c, text); err != nil || text == "" {
					break
				}
			}
			c.Close()
		}
	}()
	return netip.MustParseAddrPort(l.Addr().String())
}

const small = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

// Requests that wait behind a slow one have waited since they were due.
func TestLatencyCountsFromTheMomentARequestWasDue(t *testing.T) {
	const hold = 150 * time.Millisecond
	at := stub(t, func(n int) string {
		if n == 0 {
			<-time.After(hold)
		}
		return small
	})
	o := runOpen(t, OpenOrder{At: at, Requests: []string{"GET / HTTP/1.1\r\nHost: a\r\n\r\n"}, Conns: 1, Rate: 100, For: 200 * time.Millisecond, Patience: 20 * time.Second})
	// Of 20, one each 10 ms, half were due more than 50 ms before the slow answer.
	if o.Requests != 20 || o.Errors != 0 || o.P50 < 40 || o.P99 < 145 {
		t.Errorf("got %+v, want 20 requests, a p50 of 50 ms and a p99 of 150 ms or more", o)
	}
}

func TestOpenLoopCountsEveryFailure(t *testing.T) {
	order := OpenOrder{Requests: []string{"GET / HTTP/1.1\r\nHost: a\r\n\r\n"}, Conns: 1, Rate: 1000, For: 10 * time.Millisecond, Patience: 20 * time.Second}
	for name, c := range map[string]struct {
		answer func(int) string
		why    string
	}{
		"status":     {func(int) string { return strings.Replace(small, "200", "503", 1) }, "503"},
		"end":        {func(int) string { return "" }, "ended"},
		"more bytes": {func(int) string { return small + "x" }, "more bytes"},
	} {
		order.At = stub(t, c.answer)
		o := runOpen(t, order)
		if o.Errors != 10 || o.Requests != 0 || !strings.Contains(o.Why, c.why) || o.Took >= order.Patience.Seconds() {
			t.Errorf("%s: got %+v, want 10 errors because of %q, and no waiting for what is lost", name, o, c.why)
		}
	}
	order.Patience = 50 * time.Millisecond
	forever := make(chan string)
	defer close(forever)
	order.At = stub(t, func(int) string { return <-forever })
	if o := runOpen(t, order); o.Errors != 10 || !strings.Contains(o.Why, "not answered") {
		t.Errorf("no answer: got %+v, want 10 errors", o)
	}
}
