package std

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/unilb/unilb/impl/engine/enginetest"
	"github.com/unilb/unilb/impl/exchange"
)

// fragile is a connection that answers one request. Once dead, nothing that is
// written is accepted, and nothing tells that to who reads.
type fragile struct {
	net.Conn // never used: a call that is not expected panics
	dead     atomic.Bool
	answered atomic.Bool
	answer   chan string
	end      chan struct{}
	once     sync.Once
}

func newFragile() *fragile { return &fragile{answer: make(chan string, 1), end: make(chan struct{})} }

func (f *fragile) Write(b []byte) (int, error) {
	if f.dead.Load() {
		return 0, syscall.EPIPE
	}
	// The body comes in a write of its own, and ends the request.
	if strings.HasSuffix(string(b), "first") && !f.answered.Swap(true) {
		f.answer <- "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
	}
	return len(b), nil
}

func (f *fragile) Read(b []byte) (int, error) {
	select {
	case a := <-f.answer:
		return copy(b, a), nil
	case <-f.end:
		return 0, io.EOF
	}
}

func (f *fragile) Close() error         { f.once.Do(func() { close(f.end) }); return nil }
func (f *fragile) LocalAddr() net.Addr  { return &net.TCPAddr{} }
func (f *fragile) RemoteAddr() net.Addr { return &net.TCPAddr{} }

// dialOnce makes the connections to an address: the given one, then refusals.
func dialOnce(e *Engine, address string, c net.Conn) {
	h := enginetest.NewHandler(address)
	var x exchange.Exchange
	x.Reset(0, nil)
	h.Forward(&x)
	var dialled atomic.Bool
	e.pools.get(x.Plan.Target.Pool).(*http.Transport).DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
		if dialled.Swap(true) {
			return nil, newDialError(ctx, syscall.ECONNREFUSED)
		}
		return &counted{Conn: c}, nil
	}
}

func TestPostOnADeadKeptConnectionGoesToTheSecondTargetOnce(t *testing.T) {
	var got atomic.Int64
	second := enginetest.Backend(t, func(_ http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got.Add(int64(len(b)))
	})
	h := enginetest.NewHandler("first.example:80", second)
	e, addr := start(t, Options{Handler: h})
	conn := newFragile()
	dialOnce(e, "first.example:80", conn)
	enginetest.Use(t, addr, h)
	conn.dead.Store(true)
	status := enginetest.Post(t, addr, "hello")
	f := h.Failures()
	if status != http.StatusOK || got.Load() != 5 || len(f) != 1 || f[0].Kind != exchange.FailedConnect || f[0].Sent {
		t.Errorf("status %d, second target got %d bytes of 5, failures %+v", status, got.Load(), f)
	}
}
