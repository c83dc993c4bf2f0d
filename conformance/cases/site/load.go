package site

import (
	"context"
	"slices"
	"time"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/traffic"
)

// Load begins to send requests of all clients to a published load balancer: three
// reads to each order, which must not be carried out twice. It ends with the case.
func Load(ctx context.Context, t *spec.T, lb LB, name string, opts ...traffic.Option) *traffic.Stream {
	mix := traffic.Sending(
		traffic.Weighted{Weight: 3, Request: traffic.Request{Host: lb.Host}},
		traffic.Weighted{Weight: 1, Request: traffic.Request{Host: lb.Host, Method: "POST", Body: []byte("order=1")}},
	)
	s, err := traffic.Start(ctx, t.Env().Clients(), t.Env().Recorder(), traffic.New(t.Name(name), lb.To(), append([]traffic.Option{mix}, opts...)...))
	if err != nil {
		t.Brokenf("start load: %v", err)
	}
	t.Cleanup(func(ctx context.Context) error { _, _ = s.Stop(ctx); return nil }) // judged by the case
	return s
}

// GivingUpAfter is how long the clients of a load wait for an answer.
func GivingUpAfter(d time.Duration) traffic.Option {
	return func(l *traffic.Load) { l.Timeout = d }
}

// Steady waits until nothing has failed for that long; not within Bound is a
// failure and ends the case.
func Steady(ctx context.Context, t *spec.T, s *traffic.Stream, lasting time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, Bound)
	defer cancel()
	if err := s.Steady(ctx, lasting); err != nil {
		t.Fatalf("%v", err)
	}
}

// Recovered waits for a second without a failure after a moment of the run, and
// returns the time until it began: that in which a fault may have cost requests.
func Recovered(ctx context.Context, t *spec.T, s *traffic.Stream, from time.Duration) history.Window {
	ctx, cancel := context.WithTimeout(ctx, Bound)
	defer cancel()
	at, err := s.SteadyFrom(ctx, from, time.Second)
	if err != nil {
		t.Fatalf("not well again within %s: %v", Bound, err)
	}
	t.Logf("load %s is well again %s after the fault (limit %s)", s.Load().Name, (at - from).Round(time.Millisecond), Bound)
	return history.Window{From: from, To: at}
}

// Stop ends loads and returns what they and the backends saw, with the faults
// since the first of them began: those of earlier cases are not theirs.
func Stop(ctx context.Context, t *spec.T, streams ...*traffic.Stream) *history.History {
	ctx, cancel := context.WithTimeout(ctx, Bound)
	defer cancel()
	h := ask.Stop(ctx, t, streams...)
	begin := h.End()
	for _, o := range h.Ops {
		begin = min(begin, o.Sent)
	}
	h.Faults = slices.DeleteFunc(h.Faults, func(f history.FaultWindow) bool { return f.From < begin })
	return h
}
