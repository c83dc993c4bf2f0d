package std

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/exchange"
)

// handler forwards everything to targets in turn; tests set what differs.
type handler struct {
	plan    exchange.Plan
	targets []string
	gen     int64
	tls     bool
	verify  bool
	filter  func([]byte, bool) []byte
	suspend func(*exchange.Exchange)

	mu       sync.Mutex
	failures []exchange.Failure
	done     chan exchange.Record
}

func newHandler(targets ...string) *handler {
	const s = time.Second
	return &handler{targets: targets, plan: exchange.Plan{Connect: 5 * s, Send: 5 * s, Read: 5 * s}, done: make(chan exchange.Record, 64)}
}

func (h *handler) forward(x *exchange.Exchange) exchange.Verdict {
	i := int(x.Slots[0])
	x.Slots[0]++
	if i >= len(h.targets) {
		return x.RespondBytes(502, "text/plain", []byte("bad"))
	}
	p := h.plan
	p.Host, p.Upgrade = x.Request.Authority, x.Request.Upgrade != ""
	p.Target = &exchange.Target{Name: h.targets[i], Pool: exchange.Pool{Address: h.targets[i], Generation: h.gen, TLS: h.tls, Verify: h.verify, IdleConns: 8, IdleTimeout: time.Minute}}
	x.FilterBody = h.filter != nil
	return x.Forward(p)
}

func (h *handler) OnRequest(x *exchange.Exchange) exchange.Verdict {
	if h.suspend != nil && x.Slots[1] == 0 {
		x.Slots[1] = 1
		v := x.Suspend()
		h.suspend(x)
		return v
	}
	return h.forward(x)
}

func (h *handler) OnFailure(x *exchange.Exchange, f exchange.Failure) exchange.Verdict {
	h.mu.Lock()
	h.failures = append(h.failures, f)
	h.mu.Unlock()
	if f.Kind == exchange.ClientGone {
		return exchange.Abort
	}
	if f.Kind == exchange.ClientTooBig {
		return x.RespondBytes(413, "", []byte("big"))
	}
	if f.Kind.Timeout() && f.Kind != exchange.TimedOutConnect {
		return x.RespondBytes(504, "", []byte("late"))
	}
	if f.Sent && (!f.Replayable || x.Request.Method == http.MethodPost) {
		return x.RespondBytes(502, "", []byte("no replay"))
	}
	return h.forward(x)
}

func (h *handler) OnResponse(x *exchange.Exchange) exchange.Verdict {
	x.ResponseEdits = x.ResponseEdits[:0]
	x.ResponseEdits.Set("Server", "us")
	return exchange.Continue
}

func (h *handler) OnBody(_ *exchange.Exchange, b []byte, last bool) []byte { return h.filter(b, last) }

func (h *handler) OnDone(_ *exchange.Exchange, r exchange.Record) { h.done <- r }

func (h *handler) failed() []exchange.Failure {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]exchange.Failure(nil), h.failures...)
}

// start serves the handler and returns the engine and its address.
func start(t *testing.T, o Options) (*Engine, string) {
	t.Helper()
	return startBy(t, o, (*Engine).Serve)
}

func startBy(t *testing.T, o Options, serve func(*Engine, net.Listener) error) (*Engine, string) {
	t.Helper()
	e := New(o)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- serve(e, ln) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := e.Shutdown(ctx); err != nil {
			t.Errorf("shutdown: %v, %d in flight", err, e.InFlight())
		}
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return e, ln.Addr().String()
}

func backend(t *testing.T, f http.HandlerFunc) string {
	s := httptest.NewServer(f)
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}
