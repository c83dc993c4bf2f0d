package reload

import (
	"context"
	"net/http"
	"time"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/cases/framed"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/traffic"
)

// A watch is a connection of HTTP/2 with requests at a gate, and an idle one.
type watch struct {
	gw         spec.Gateway
	busy, idle *framed.Conn
	held       []*framed.Stream
}

// watching opens them and waits until the requests are at the gate.
func watching(ctx context.Context, t *spec.T, g *ask.Gate, gw spec.Gateway) *watch {
	w := &watch{gw: gw}
	for _, c := range []**framed.Conn{&w.busy, &w.idle} {
		*c = framed.Dial(ctx, t, gw.TLS, t.Host(), framed.Options{})
		fast2(ctx, t, *c, gw, "before")
	}
	for range 3 {
		w.held = append(w.held, w.busy.Send(framed.Head(http.MethodGet, t.Host(), "/slow"), true))
		if !g.Arrived(ctx, traffic.DefaultTimeout) {
			t.Fatalf("%s: a request over HTTP/2 does not arrive: %s", gw.Ref, w.busy)
		}
	}
	return w
}

// fast2 checks that a request over a connection is answered by backend 0.
func fast2(ctx context.Context, t *spec.T, c *framed.Conn, gw spec.Gateway, why string) {
	r := c.Send(framed.Head(http.MethodGet, t.Host(), "/fast"), true).Answer(ctx)
	t.Check(r.Served(), "%s: %s: got %s, want 200 from the backend (op %s)", gw.Ref, why, r, r.Op.ID)
}

// told checks that both are told that they shall leave, and that the busy one goes on.
func (w *watch) told(ctx context.Context, t *spec.T) {
	t.Check(w.busy.Leaves(ctx), "%s: a connection with requests under way is not told to leave within %s", w.gw.Ref, framed.Patience)
	t.Check(w.idle.Leaves(ctx), "%s: an idle connection is not told to leave within %s", w.gw.Ref, framed.Patience)
	_ = w.idle.Close() // it has been told
	t.Check(!w.busy.Ended(), "%s: a connection was ended with %d requests under way: %s", w.gw.Ref, len(w.held), w.busy)
}

// answered checks, when the gate is open, that what was under way is answered.
func (w *watch) answered(ctx context.Context, t *spec.T) {
	for _, s := range w.held {
		r := s.Answer(ctx)
		t.Check(r.Served(), "%s: a request that was under way: got %s, want 200 from the backend; %s (op %s)", w.gw.Ref, r, w.busy, r.Op.ID)
	}
	_ = w.busy.Close() // as it was told
	err := w.busy.Wrong()
	t.Check(err == nil, "%s: %v", w.gw.Ref, err)
}

// asked are requests that were made one after another.
type asked struct {
	served, moved int
	lost          []framed.Result
}

// askOn2 asks over one connection of HTTP/2, and over the next when it is told to leave,
// until ctx ends. A request that the gateway says it has not begun is none.
func askOn2(ctx context.Context, t *spec.T, gw spec.Gateway) (a asked) {
	tick := time.NewTicker(pace / 4)
	defer tick.Stop()
	var c *framed.Conn
	for {
		if c == nil || c.Left() {
			var err error
			if c, err = framed.TryDial(ctx, t, gw.TLS, t.Host(), framed.Options{}); err != nil {
				if ctx.Err() == nil {
					a.lost = append(a.lost, framed.Result{Err: err})
				}
				return a
			}
			a.moved++
		}
		s := c.Send(framed.Head(http.MethodPost, t.Host(), "/fast"), true)
		switch r := s.Answer(context.WithoutCancel(ctx)); {
		case r.Served():
			a.served++
		case s.NotBegun():
		default:
			a.lost = append(a.lost, r)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return a
		}
	}
}

// judge checks that nothing was lost.
func (a asked) judge(t *spec.T, gw spec.Gateway) {
	t.Logf("%s: %d requests served over %d connections, %d lost", gw.Ref, a.served, a.moved, len(a.lost))
	if a.served == 0 {
		t.Undecided("nobody was served over HTTP/2")
	}
	for _, r := range a.lost {
		t.Check(false, "%s: a request over HTTP/2 was lost: %s: %v (op %s)", gw.Ref, r.Op.Error, r.Err, r.Op.ID)
	}
}
