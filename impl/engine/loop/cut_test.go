package loop

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"github.com/unilb/unilb/impl/engine/enginetest"
	"github.com/unilb/unilb/impl/exchange"
)

// cutWhen serves a request that its target leaves open after the head of its answer,
// lets end do something about it, and returns its record.
func cutWhen(t *testing.T, ask func(net.Conn), end func(e *Engine, c net.Conn)) exchange.Record {
	t.Helper()
	up := answering(t, func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	h := enginetest.NewHandler(up)
	e, err := New(Options{Handler: h, HTTP2: true, Poison: true})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := e.Listen(t.Context(), "127.0.0.1:0", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = e.Serve(ln) }() // which ends with the engine
	defer shutAtOnce(t, e)
	c, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(20 * time.Second)) // sockets take them
	ask(c)
	end(e, c)
	select {
	case r := <-h.Done:
		return r
	case <-time.After(20 * time.Second):
		t.Fatal("the request has not ended after 20 s")
		return exchange.Record{}
	}
}

// shutAtOnce waits for nobody.
func shutAtOnce(t *testing.T, e *Engine) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_ = e.Shutdown(ctx) // the error is that of ctx
}

func TestAnswersThatTheirConnectionEndsHaveTheirReason(t *testing.T) {
	one := func(c net.Conn) {
		_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
		if _, err := io.ReadFull(c, make([]byte, len("HTTP/1.1 200"))); err != nil {
			t.Error(err)
		}
	}
	two := func(c net.Conn) {
		if _, err := io.WriteString(c, http2.ClientPreface); err != nil {
			t.Error(err)
		}
		s := &starving{http2.NewFramer(c, c), t}
		_ = s.WriteSettings() // or asking fails
		s.ask(1, http.MethodGet, "/")
		if f, ok := s.next(1).(*http2.HeadersFrame); !ok {
			t.Errorf("got %v, want the head of an answer", f)
		}
	}
	shutdown := func(e *Engine, _ net.Conn) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := e.Shutdown(ctx); !errors.Is(err, context.Canceled) || !strings.HasPrefix(err.Error(), "1 requests on 1 connections: ") {
			t.Errorf("got %v, want what was cut and the error of ctx", err)
		}
	}
	for name, tc := range map[string]struct {
		ask  func(net.Conn)
		end  func(*Engine, net.Conn)
		want exchange.CutReason
	}{
		"HTTP/1.1, the engine ends":   {one, shutdown, exchange.CutShutdown},
		"HTTP/2, the engine ends":     {two, shutdown, exchange.CutShutdown},
		"HTTP/2, the client has left": {two, func(_ *Engine, c net.Conn) { c.Close() }, exchange.CutClientGone},
		"HTTP/2, the client resets its connection": {two, func(_ *Engine, c net.Conn) {
			_ = c.(*net.TCPConn).SetLinger(0) // sockets take it
			c.Close()
		}, exchange.CutClientGone},
		"HTTP/2, the client breaks a rule": {two, func(_ *Engine, c net.Conn) { _, _ = c.Write(badFrame) },
			exchange.CutClientMalformed},
	} {
		if r := cutWhen(t, tc.ask, tc.end); !r.Cut || r.Status != 200 || r.CutReason != tc.want {
			t.Errorf("%s: record %+v (%s), want 200, cut, %s", name, r, r.CutReason, tc.want)
		}
	}
}

// badFrame is a PING of no length.
var badFrame = []byte{0, 0, 0, 6, 0, 0, 0, 0, 0}
