//go:build slow

package loop

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/exchange"
)

// A target that answers early and closes with the body unread.
func TestAnswerBeforeAResetIsPassedOn(t *testing.T) {
	t.Parallel()
	target := listen(t, 0, func(c net.Conn) {
		br := bufio.NewReaderSize(c, 16)
		for {
			line, err := br.ReadString('\n')
			if err != nil || line == "\r\n" {
				break
			}
		}
		<-time.After(20 * time.Millisecond)
		_, _ = io.WriteString(c, "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
		c.Close()
	})
	h := &fn{target: target}
	_, addr, _ := serve(t, Options{Handler: h})
	got := map[string]int{}
	for range 100 {
		c := dial(t, addr, 0)
		_, _ = io.WriteString(c, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5000\r\n\r\n"+strings.Repeat("b", 5000))
		line, _ := bufio.NewReader(c).ReadString('\n')
		got[strings.TrimSpace(line)]++
		c.Close()
	}
	if got["HTTP/1.1 413 Request Entity Too Large"]+got["HTTP/1.1 413 Content Too Large"] != 100 {
		t.Errorf("%v", got)
	}
}

// An answer over TLS without length that is cut is no whole answer.
func TestAnswerOverTLSThatBreaksOffIsCut(t *testing.T) {
	t.Parallel()
	s := httptest.NewUnstartedServer(nil)
	s.StartTLS()
	cert := s.TLS.Certificates
	s.Close()
	target := listen(t, 0, func(c net.Conn) {
		tc := tls.Server(c, &tls.Config{Certificates: cert})
		_, _ = http.ReadRequest(bufio.NewReader(tc))
		_, _ = io.WriteString(tc, "HTTP/1.1 200 OK\r\n\r\nhalf")
		<-time.After(50 * time.Millisecond)
		_ = c.(*net.TCPConn).SetLinger(0)
		c.Close() // no close_notify
	})
	h := &fn{target: target, tls: true}
	_, addr, _ := serve(t, Options{Handler: h})
	resp, err := http.Get("http://" + addr)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(resp.Body); err == nil {
		t.Errorf("a cut answer reads as whole: %q; %s", b, h.say())
	}
}

// A TLS target that stops reading.
func TestTargetOfTLSThatStandsStillKeepsNothing(t *testing.T) {
	s := httptest.NewUnstartedServer(nil)
	s.StartTLS()
	cert := s.TLS.Certificates
	s.Close()
	target := listen(t, 16<<10, func(c net.Conn) {
		tc := tls.Server(c, &tls.Config{Certificates: cert})
		_ = tc.Handshake()
		<-time.After(30 * time.Second)
		c.Close()
	})
	h := &fn{target: target, tls: true, plan: exchange.Plan{Send: 300 * time.Millisecond}}
	e, addr, _ := serve(t, Options{Handler: h})
	fds := func() int { d, _ := os.ReadDir("/proc/self/fd"); return len(d) }
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	before, g := fds(), runtime.NumGoroutine()
	for range 5 {
		resp, err := client.Post("http://"+addr, "", io.LimitReader(&zero{}, 16<<20))
		if err == nil {
			resp.Body.Close()
		}
	}
	<-time.After(2 * time.Second)
	// of each: 1 descriptor and 1 goroutine are the target's own, in this process
	if a, b := fds()-before, runtime.NumGoroutine()-g; e.InFlight() == 0 && (a > 5+2 || b > 5+2) {
		t.Errorf("none in flight, %d descriptors and %d goroutines more (5 of each are the target's)", a, b)
	}
}

// The end of a kept connection has come, and no event was read yet.
func TestPostIsNotRiskedOnAConnectionThatEndsNow(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var kept net.Conn
	target := listen(t, 0, func(c net.Conn) {
		mu.Lock()
		kept = c
		mu.Unlock()
		br := bufio.NewReader(c)
		for {
			r, err := http.ReadRequest(br)
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, r.Body)
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		}
	})
	n := 0
	h := &fn{target: target}
	h.req = func(x *exchange.Exchange) (exchange.Verdict, bool) {
		if n++; n == 2 { // while this batch lasts
			mu.Lock()
			kept.Close()
			mu.Unlock()
		}
		return 0, false
	}
	_, addr, _ := serve(t, Options{Handler: h})
	for i := range 2 {
		resp, err := http.Post("http://"+addr, "", strings.NewReader("hello"))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != 200 {
			t.Errorf("request %d: %d, %s", i, resp.StatusCode, h.say())
		}
		<-time.After(100 * time.Millisecond)
	}
}

// The first flush does not take everything; the connection stands.
func TestConnectionThatStandsIsNotTimedOutAsConnecting(t *testing.T) {
	t.Parallel()
	const size = 12 << 20
	target := listen(t, 16<<10, func(c net.Conn) {
		br := bufio.NewReaderSize(c, 1000)
		r, err := http.ReadRequest(br)
		if err != nil {
			return
		}
		<-time.After(1500 * time.Millisecond)
		_, _ = io.Copy(io.Discard, r.Body)
		fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		_, _ = br.ReadByte()
	})
	h := &fn{target: target, replay: 64 << 20, plan: exchange.Plan{Connect: 500 * time.Millisecond, Send: 20 * time.Second}}
	h.req = func(x *exchange.Exchange) (exchange.Verdict, bool) {
		if x.Slots[1] == 0 { // all of the body comes while it is suspended
			x.Slots[1] = 1
			x.ReplayLimit = 64 << 20
			time.AfterFunc(500*time.Millisecond, x.Resume)
			return x.Suspend(), true
		}
		return 0, false
	}
	_, addr, _ := serve(t, Options{Handler: h})
	resp, err := http.Post("http://"+addr, "", bytes.NewReader(make([]byte, size)))
	if err != nil {
		t.Fatalf("%v; %s", err, h.say())
	}
	if resp.StatusCode != 200 {
		t.Errorf("%d; %s", resp.StatusCode, h.say())
	}
}

// A tunnel whose target was asked with a body under way.
// Target's final reset after a complete answer that the client has not read wholly.
func TestResetBehindAWholeAnswerHurtsNobody(t *testing.T) {
	t.Parallel()
	const size = 5 << 20
	target := listen(t, 0, func(c net.Conn) {
		br := bufio.NewReader(c)
		_, _ = http.ReadRequest(br)
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5242880\r\n\r\n")
		_, _ = c.Write(make([]byte, size))
		c.Close()
	})
	h := &fn{target: target}
	_, addr, _ := serve(t, Options{Handler: h})
	c := dial(t, addr, 32<<10)
	_, _ = io.WriteString(c, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc")
	<-time.After(500 * time.Millisecond)
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Errorf("%d of %d: %v %s", n, size, err, h.say())
	}
}
