package ask

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/echo"
	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/traffic"
)

// Lengths of a Gate's answers, in bytes: for the target /half more than gateways
// keep back, else what comes in one piece. Gateways that lose the rest of an answer
// which comes in pieces are a case of their own.
const (
	gateBytes = 100
	halfBytes = 512 << 10
)

func answerBytes(target string) int {
	if target == "/half" {
		return halfBytes
	}
	return gateBytes
}

// A Gate is a backend that answers when it is told to, so that a case holds a
// request in flight for as long as something else takes. Half of the answer is
// sent at once for the target /half, nothing for others. A request with a body,
// of at most 512 KiB, sends the first bytes of echo.Pattern.
type Gate struct {
	spec.Backend
	arrived chan struct{}
	open    chan struct{}
	once    sync.Once
}

// maxHeld is how many requests a Gate can hold.
const maxHeld = 64

// NewGate starts a Gate that lives until the case ends.
func NewGate(ctx context.Context, t *spec.T) *Gate {
	l, b, err := t.Env().Listen(ctx, "")
	if err != nil {
		t.Brokenf("listen for a backend: %v", err)
	}
	b.Ref += "-gate" // other backends of the case may stand on the same node
	g := &Gate{Backend: b, arrived: make(chan struct{}, maxHeld), open: make(chan struct{})}
	srv := &http.Server{Handler: g.handler(t.Env().Recorder()), ReadHeaderTimeout: traffic.DefaultTimeout}
	go func() { _ = srv.Serve(l) }() // ends with Close below
	t.Cleanup(func(context.Context) error { g.Open(); return srv.Close() })
	return g
}

func (g *Gate) handler(rec *history.Recorder) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.Header.Get(echo.HeaderOpID)
		rec.Arrival(history.Arrival{
			ID: id, Backend: g.Ref, VNI: g.VNI, From: r.RemoteAddr, At: rec.Now(),
			Seen: history.Request{Method: r.Method, Target: r.RequestURI, Proto: r.Proto, Host: r.Host},
		})
		select {
		case g.arrived <- struct{}{}:
		default: // more than anybody waits for
		}
		w.Header().Set(echo.HeaderBackend, string(g.Ref))
		w.Header().Set(echo.HeaderOp, id)
		body := echo.Pattern(answerBytes(r.URL.Path))
		if r.URL.Path == "/half" {
			w.Header().Set("Content-Length", strconv.Itoa(len(body)))
			_, _ = w.Write(body[:len(body)/2]) // the client sees what is missing
			_ = http.NewResponseController(w).Flush()
			body = body[len(body)/2:]
		}
		got, err := io.ReadAll(io.LimitReader(r.Body, halfBytes))
		if err != nil || !bytes.Equal(got, echo.Pattern(len(got))) {
			w.WriteHeader(http.StatusConflict) // the body did not come as it was sent
			return
		}
		select {
		case <-g.open:
		case <-r.Context().Done():
		}
		_, _ = w.Write(body)
	})
}

// Open lets everything through, now and from now on.
func (g *Gate) Open() { g.once.Do(func() { close(g.open) }) }

// Arrived waits for one more request at the gate; there is none when it says false.
func (g *Gate) Arrived(ctx context.Context, within time.Duration) bool {
	alarm := time.NewTimer(within)
	defer alarm.Stop()
	select {
	case <-g.arrived:
		return true
	case <-alarm.C:
	case <-ctx.Done():
	}
	return false
}

// Held is a request under way.
type Held struct {
	Gateway spec.Gateway
	done    chan traffic.Result
}

// Hold sends a request through every gateway, each on a connection that has
// carried one before, and waits until all have arrived at the gate. The case ends
// when one does not.
func Hold(ctx context.Context, t *spec.T, g *Gate, first, r traffic.Request, gateways ...spec.Gateway) []Held {
	var hs []Held
	for _, gw := range gateways {
		s := Session(t, gw.Data, traffic.Options{Conns: traffic.ConnPolicy{Keep: 1}, Timeout: time.Minute})
		if warm := s.Do(ctx, first); warm.Reply == nil {
			t.Fatalf("%s: before anything happened: %s (op %s)", gw.Ref, Said(warm), warm.Op.ID)
		}
		h := Held{gw, make(chan traffic.Result, 1)}
		go func() { h.done <- s.Do(ctx, r) }()
		hs = append(hs, h)
	}
	for range hs {
		if !g.Arrived(ctx, traffic.DefaultTimeout) {
			t.Fatalf("of %d requests not all arrived at %s within %s", len(hs), g.Ref, traffic.DefaultTimeout)
		}
	}
	return hs
}

// Ended waits until a held request has ended.
func (h Held) Ended(ctx context.Context) traffic.Result {
	select {
	case r := <-h.done:
		return r
	case <-ctx.Done():
		return <-h.done // it ends with ctx, too
	}
}

// Finish opens the gate and checks that every held request gets the whole answer
// of the gate, and that each arrived there once.
func (g *Gate) Finish(ctx context.Context, t *spec.T, hs []Held, while string) {
	g.Open()
	ids := map[string]bool{}
	for _, h := range hs {
		r := h.Ended(ctx)
		ids[r.Op.ID] = true
		switch {
		case r.Reply == nil:
			t.Check(false, "%s: %s: the request in flight was lost: %v (op %s)", h.Gateway.Ref, while, r.Err, r.Op.ID)
		case r.Backend() != g.Ref || r.Reply.Status != http.StatusOK:
			t.Check(false, "%s: %s: the request in flight got %s, want 200 from %s (op %s)", h.Gateway.Ref, while, Said(r), g.Ref, r.Op.ID)
		case !bytes.Equal(r.Reply.Body, echo.Pattern(answerBytes(r.Op.Request.Target))):
			t.Check(false, "%s: %s: the answer in flight came with %d bytes, want %d unchanged (op %s)",
				h.Gateway.Ref, while, r.Reply.Length, answerBytes(r.Op.Request.Target), r.Op.ID)
		}
	}
	times := map[string]int{}
	for _, a := range t.Env().Recorder().Snapshot().Arrivals {
		if ids[a.ID] {
			times[a.ID]++
		}
	}
	for id := range ids {
		t.Check(times[id] == 1, "%s: op %s arrived %d times, want once", while, id, times[id])
	}
}
