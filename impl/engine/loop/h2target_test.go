package loop

import (
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"github.com/unilb/unilb/impl/engine/enginetest"
	"github.com/unilb/unilb/impl/exchange"
)

// over2 forwards everything to targets of HTTP/2 in turn, as the pipeline does.
type over2 struct {
	targets []string
	pool    exchange.Pool
	plan    exchange.Plan
	filter  func(b []byte, last bool) []byte
	answer  func(*exchange.Exchange) // when the head of an answer is there
	replay  int

	mu       sync.Mutex
	failures []exchange.Failure
	done     chan exchange.Record
}

func newOver2(targets ...string) *over2 {
	const s = time.Second
	return &over2{targets: targets, pool: exchange.Pool{HTTP2: true, IdleConns: 8, IdleTimeout: time.Minute}, plan: exchange.Plan{Connect: 5 * s, Send: 5 * s, Read: 5 * s}, done: make(chan exchange.Record, 1024)}
}

func (h *over2) forward(x *exchange.Exchange) exchange.Verdict {
	i := int(x.Slots[0])
	x.Slots[0]++
	if i >= len(h.targets) {
		return x.RespondBytes(502, "", []byte("bad"))
	}
	p := h.plan
	p.Host = x.Request.Authority
	pool := h.pool
	pool.Address = h.targets[i]
	p.Target = &exchange.Target{Name: h.targets[i], Pool: pool}
	x.FilterBody = h.filter != nil
	return x.Forward(p)
}

func (h *over2) OnRequest(x *exchange.Exchange) exchange.Verdict {
	if h.replay > 0 {
		x.ReplayLimit = h.replay
	}
	return h.forward(x)
}

func (h *over2) OnFailure(x *exchange.Exchange, f exchange.Failure) exchange.Verdict {
	h.mu.Lock()
	h.failures = append(h.failures, f)
	h.mu.Unlock()
	switch {
	case f.Kind == exchange.ClientGone:
		return exchange.Abort
	case f.Sent && (!f.Replayable || !exchange.Idempotent(x.Request.Method)):
		return x.RespondBytes(502, "", []byte(f.Kind.String()))
	}
	return h.forward(x)
}

func (h *over2) OnResponse(x *exchange.Exchange) exchange.Verdict {
	x.ResponseEdits = x.ResponseEdits[:0]
	if h.answer != nil {
		h.answer(x)
	}
	return exchange.Continue
}

func (h *over2) OnBody(_ *exchange.Exchange, b []byte, last bool) []byte { return h.filter(b, last) }

func (h *over2) OnDone(_ *exchange.Exchange, r exchange.Record) { h.done <- r }

func (h *over2) failed() []exchange.Failure {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]exchange.Failure(nil), h.failures...)
}

// target2 serves HTTP/2 without TLS.
func target2(t *testing.T, f http.HandlerFunc, conf *http.HTTP2Config) string {
	t.Helper()
	return enginetest.HTTP2Target(t, false, f, func(s *http.Server) { s.HTTP2 = conf })
}

// frames2 is a target of which the test writes the frames, one call of f for each
// connection.
func frames2(t *testing.T, f func(n int, fr *http2.Framer, c net.Conn)) string {
	t.Helper()
	return enginetest.FramedTarget(t, false, f)
}

func ask(t *testing.T, url string) (int, string) {
	t.Helper()
	resp, err := http.Get(url)
	return resp.StatusCode, whole(t, resp, err)
}

// pause lets others go on for a moment.
func pause(t *testing.T) {
	t.Helper()
	select {
	case <-time.After(2 * time.Millisecond):
	case <-t.Context().Done():
		t.FailNow()
	}
}
