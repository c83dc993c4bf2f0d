//go:build slow

package loop

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/exchange"
)

// Shutdown while a finished answer is on its way.
func TestShutdownWaitsUntilAnswersAreDelivered(t *testing.T) {
	t.Parallel()
	body := strings.Repeat("x", 1<<20)
	h := &fn{req: func(x *exchange.Exchange) (exchange.Verdict, bool) {
		return x.RespondBytes(200, "", []byte(body)), true
	}}
	e, addr, close := serve(t, Options{Handler: h})
	c := dial(t, addr, 32<<10)
	_, _ = io.WriteString(c, get)
	<-time.After(300 * time.Millisecond)
	close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	begin := time.Now()
	done := make(chan error, 1)
	go func() { done <- e.Shutdown(ctx) }()
	<-time.After(500 * time.Millisecond)
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	n, err := io.Copy(io.Discard, resp.Body)
	t.Logf("shutdown: %v after %s", <-done, time.Since(begin))
	if err != nil {
		t.Errorf("client got %d of %d bytes: %v; %s", n, len(body), err, h.say())
	}
}

// What the client of a tunnel sent before its end reaches a slow target.
func TestTunnelDeliversTheLastBytes(t *testing.T) {
	t.Parallel()
	var lost, all atomic.Int64
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			size := int64(2<<20 + i*100_000)
			got := make(chan int64, 1)
			target := listen(t, 16<<10, func(c net.Conn) {
				br := bufio.NewReader(c)
				if _, err := http.ReadRequest(br); err != nil {
					return
				}
				_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
				<-time.After(2 * time.Second)
				n, _ := io.Copy(io.Discard, br)
				got <- n
			})
			h := &fn{target: target}
			_, addr, _ := serve(t, Options{Handler: h})
			c := dial(t, addr, 0)
			_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
			br := bufio.NewReader(c)
			if resp, err := http.ReadResponse(br, nil); err != nil || resp.StatusCode != 101 {
				t.Error(resp, err)
				return
			}
			if _, err := c.Write(make([]byte, size)); err != nil {
				t.Error(err)
				return
			}
			c.(*net.TCPConn).CloseWrite()
			all.Add(1)
			if n := <-got; n != size {
				lost.Add(1)
				t.Logf("target got %d of %d bytes: %d missing", n, size, size-n)
			}
		})
	}
	wg.Wait()
	if lost.Load() > 0 {
		t.Errorf("%d of %d tunnels lost the end", lost.Load(), all.Load())
	}
}

// Serve ends when the engine is shut down.
func TestServeEndsWithTheEngine(t *testing.T) {
	t.Parallel()
	e, err := New(Options{Handler: &fn{}})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := e.Listen(context.Background(), "127.0.0.1:0", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- e.Serve(ln) }()
	<-time.After(100 * time.Millisecond)
	if err := e.Shutdown(context.Background()); err != nil {
		t.Fatal(err)
	}
	select {
	case <-served:
	case <-time.After(2 * time.Second):
		t.Error("Serve goes on after Shutdown")
	}
}

// After a 413 while a goroutine connects, that connection is not used.
// OnFailure answers for a client that is gone: the exchange ends.
func TestAnswerForAClientThatHasGoneEnds(t *testing.T) {
	t.Parallel()
	h := &gone{fn{target: listenSilent(t)}}
	e, addr, _ := serve(t, Options{Handler: h, HalfClose: 300 * time.Millisecond})
	c := dial(t, addr, 0)
	_, _ = io.WriteString(c, get)
	<-time.After(200 * time.Millisecond)
	c.Close()
	<-time.After(time.Second)
	if n := e.InFlight(); n != 0 {
		t.Errorf("%d in flight after the client has gone", n)
	}
}

// The same when the client resets.
func TestAnswerForAClientThatHasResetEnds(t *testing.T) {
	t.Parallel()
	h := &gone{fn{target: listenSilent(t)}}
	e, addr, _ := serve(t, Options{Handler: h})
	c := dial(t, addr, 0)
	_, _ = io.WriteString(c, get)
	<-time.After(200 * time.Millisecond)
	_ = c.(*net.TCPConn).SetLinger(0)
	c.Close()
	<-time.After(time.Second)
	if n := e.InFlight(); n != 0 {
		t.Errorf("%d in flight after the client has gone", n)
	}
}
