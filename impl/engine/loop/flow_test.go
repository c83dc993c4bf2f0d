//go:build slow

package loop

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/impl/exchange"
)

// Pipelined small answers; the client reads late.
func TestAnswersToPipelinedRequestsThatAreReadLateAllCome(t *testing.T) {
	t.Parallel()
	body := strings.Repeat("x", 1000)
	target := parrot(t, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"+body)
	h := &fn{target: target}
	e, addr, _ := serve(t, Options{Handler: h})
	c := dial(t, addr, 32<<10)
	const n = 10000
	go func() { _, _ = io.WriteString(c, strings.Repeat(get, n)) }()
	<-time.After(3 * time.Second)
	_ = c.SetReadDeadline(time.Now().Add(15 * time.Second))
	br := bufio.NewReader(c)
	for i := range n {
		resp, err := http.ReadResponse(br, nil)
		if err == nil {
			_, err = io.Copy(io.Discard, resp.Body)
		}
		if err != nil {
			t.Fatalf("answer %d of %d: %v; in flight %d", i, n, err, e.InFlight())
		}
	}
}

// One chunked answer in one segment, a filter that makes much of little.
func TestFilteredAnswerThatIsReadLateComesWhole(t *testing.T) {
	t.Parallel()
	big := bytes.Repeat([]byte("y"), 100<<10)
	target := listen(t, 0, func(c net.Conn) {
		br := bufio.NewReader(c)
		if _, err := http.ReadRequest(br); err != nil {
			return
		}
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"+strings.Repeat("1\r\na\r\n", 100)+"0\r\n\r\n")
		_, _ = br.ReadByte()
	})
	h := &fn{target: target, filter: func(b []byte, last bool) []byte {
		if len(b) > 0 {
			return big
		}
		return nil
	}}
	e, addr, _ := serve(t, Options{Handler: h})
	c := dial(t, addr, 32<<10)
	_, _ = io.WriteString(c, get)
	<-time.After(time.Second)
	_ = c.SetReadDeadline(time.Now().Add(8 * time.Second))
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	n, err := io.Copy(io.Discard, resp.Body)
	if err != nil || n != int64(100*len(big)) {
		t.Fatalf("%d bytes of %d, %v; in flight %d %s", n, 100*len(big), err, e.InFlight(), h.say())
	}
}

// Plain chunked downloads of many sizes, client reads late.
func TestChunkedAnswersToASlowClientComeWhole(t *testing.T) {
	t.Parallel()
	var size atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		b := bytes.Repeat([]byte("z"), 1000)
		for n := int64(0); n < size.Load(); n += 1000 {
			_, _ = w.Write(b)
		}
	}))
	defer s.Close()
	h := &fn{target: s.Listener.Addr().String()}
	_, addr, _ := serve(t, Options{Handler: h})
	hung := 0
	const tries = 40
	for i := range tries {
		size.Store(8_000_000 + int64(i)*37_000)
		c := dial(t, addr, 32<<10)
		_, _ = io.WriteString(c, get)
		<-time.After(100 * time.Millisecond)
		_ = c.SetReadDeadline(time.Now().Add(3 * time.Second))
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := io.Copy(io.Discard, resp.Body); err != nil {
			hung++
			t.Logf("size %d: %d bytes, %v", size.Load(), n, err)
		}
		c.Close()
	}
	if hung > 0 {
		t.Errorf("%d of %d downloads hung", hung, tries)
	}
}

// Pipelined requests whose answers have no body, never read.
func TestClientThatTakesNoAnswersIsAskedNoMore(t *testing.T) {
	h := &fn{}
	h.req = func(x *exchange.Exchange) (exchange.Verdict, bool) {
		return x.RespondBytes(404, "", []byte("none")), true
	}
	_, addr, _ := serve(t, Options{Handler: h})
	c := dial(t, addr, 32<<10)
	_ = c.SetWriteDeadline(time.Now().Add(4 * time.Second))
	req := []byte(strings.Repeat("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n", 10000))
	sent := 0
	var peak uint64
	for range 1000 {
		n, err := c.Write(req)
		sent += n
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		peak = max(peak, m.HeapInuse)
		if err != nil || peak > 1<<30 {
			break
		}
	}
	if peak > 64<<20 {
		t.Errorf("%d MB of requests without reading, %d MB of heap", sent>>20, peak>>20)
	}
}

// While one client pipelines, another waits.
func TestPipeliningClientLeavesTheOthersTheirTurn(t *testing.T) {
	t.Parallel()
	h := &fn{}
	h.req = func(x *exchange.Exchange) (exchange.Verdict, bool) {
		return x.RespondBytes(404, "", []byte("none")), true
	}
	var worst atomic.Int64
	_, addr, _ := serve(t, Options{Handler: h, Slow: func(d time.Duration) {
		for {
			w := worst.Load()
			if int64(d) <= w || worst.CompareAndSwap(w, int64(d)) {
				return
			}
		}
	}})
	c := dial(t, addr, 0)
	stop := make(chan struct{})
	go func() {
		req := []byte(strings.Repeat("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n", 10000))
		for {
			select {
			case <-stop:
				return
			default:
			}
			if _, err := c.Write(req); err != nil {
				return
			}
		}
	}()
	go func() { _, _ = io.Copy(io.Discard, c) }()
	<-time.After(100 * time.Millisecond)
	var slowest time.Duration
	for range 10 {
		begin := time.Now()
		d := dial(t, addr, 0)
		_, _ = io.WriteString(d, get)
		_ = d.SetReadDeadline(time.Now().Add(5 * time.Second))
		b := make([]byte, 100)
		if _, err := d.Read(b); err != nil {
			t.Errorf("another client: %v after %s", err, time.Since(begin))
			break
		}
		slowest = max(slowest, time.Since(begin))
		d.Close()
	}
	close(stop)
	t.Logf("slowest answer for another %s, longest batch %s of thread time", slowest, time.Duration(worst.Load()))
}

// Output that is never wholly written, and never more than a little.
func TestOutputDoesNotGrowWhileItFlows(t *testing.T) {
	t.Parallel()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	l := &loop{e: &Engine{}}
	s := &sock{l: l, owner: nobody{}, fd: fds[0]}
	piece, buf := make([]byte, 8<<10), make([]byte, 8<<10)
	for !s.blocked || s.waiting() < 100<<10 {
		s.send(piece)
		s.flush()
	}
	most := 0
	for range 20000 { // the peer takes a piece, another comes
		if n, err := unix.Read(fds[1], buf); err != nil || n != len(buf) {
			t.Fatal(n, err)
		}
		s.blocked = false
		s.flush()
		s.send(piece)
		most = max(most, s.waiting())
	}
	if cap(s.out) > 4<<20 {
		t.Errorf("at most %d bytes waited, the buffer holds %d", most, cap(s.out))
	}
}

// A long chunked answer does not keep the loop.
func TestLongAnswerLeavesTheOthersTheirTurn(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		b := make([]byte, 64<<10)
		for range 20000 {
			if _, err := w.Write(b); err != nil {
				return
			}
		}
	}))
	defer s.Close()
	h := &fn{target: s.Listener.Addr().String()}
	var slow, worst atomic.Int64
	_, addr, _ := serve(t, Options{Handler: h, Slow: func(d time.Duration) {
		slow.Add(1)
		worst.Store(max(worst.Load(), int64(d)))
	}})
	resp, err := http.Get("http://" + addr)
	if err != nil {
		t.Fatal(err)
	}
	n, err := io.Copy(io.Discard, resp.Body)
	if err != nil || slow.Load() > 0 {
		t.Errorf("%d bytes, %v: %d slow batches, the worst %s", n, err, slow.Load(), time.Duration(worst.Load()))
	}
}

// Endless interim answers.
func TestInterimAnswersToAClientThatReadsNothingAreBounded(t *testing.T) {
	t.Parallel()
	target := listen(t, 0, func(c net.Conn) {
		_, _ = http.ReadRequest(bufio.NewReader(c))
		b := []byte(strings.Repeat("HTTP/1.1 103 Early Hints\r\nLink: "+strings.Repeat("x", 1000)+"\r\n\r\n", 100))
		for n := 0; n < 300<<20; {
			k, err := c.Write(b)
			if n += k; err != nil {
				t.Logf("after %d MB: %v", n>>20, err)
				return
			}
		}
		t.Errorf("300 MB of interim answers were taken, the client read none")
	})
	h := &fn{target: target}
	_, addr, _ := serve(t, Options{Handler: h})
	c := dial(t, addr, 32<<10)
	_, _ = io.WriteString(c, get)
	<-time.After(4 * time.Second)
}
