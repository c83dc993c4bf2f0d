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
	h := newHandler(address)
	var x exchange.Exchange
	x.Reset(0, nil)
	h.forward(&x)
	var dialled atomic.Bool
	e.pools.get(x.Plan.Target.Pool).DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
		if dialled.Swap(true) {
			return nil, newDialError(ctx, syscall.ECONNREFUSED)
		}
		return &counted{Conn: c}, nil
	}
}

func post(t *testing.T, addr, body string, header ...string) int {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, "http://"+addr, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}

// use makes a kept connection to the first target of a handler.
func use(t *testing.T, addr string, h *handler) {
	t.Helper()
	if status := post(t, addr, "first"); status != http.StatusOK || len(h.failed()) > 0 {
		t.Fatalf("first request: %d, failures %+v", status, h.failed())
	}
	<-h.done
}

func TestPostOnADeadKeptConnectionGoesToTheSecondTargetOnce(t *testing.T) {
	var got atomic.Int64
	second := backend(t, func(_ http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got.Add(int64(len(b)))
	})
	h := newHandler("first.example:80", second)
	e, addr := start(t, Options{Handler: h})
	conn := newFragile()
	dialOnce(e, "first.example:80", conn)
	use(t, addr, h)
	conn.dead.Store(true)
	status := post(t, addr, "hello")
	f := h.failed()
	if status != http.StatusOK || got.Load() != 5 || len(f) != 1 || f[0].Kind != exchange.FailedConnect || f[0].Sent {
		t.Errorf("status %d, second target got %d bytes of 5, failures %+v", status, got.Load(), f)
	}
}
