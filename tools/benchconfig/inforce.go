package main

import (
	"context"
	"math/rand/v2"
	"net/http"
	"slices"
	"time"

	"github.com/unilb/unilb/tools/bench/corpus"
	"github.com/unilb/unilb/tools/bench/figure"
	"github.com/unilb/unilb/tools/bench/load"
	"github.com/unilb/unilb/tools/bench/stage"
)

// measureInForce writes routes, one at a time and with pauses, to gateways that are asked
// by long-poll all the time.
func measureInForce(ctx context.Context, b *bench, got *result) error {
	l, err := b.needed(ctx)
	if err != nil {
		return err
	}
	w := writeAndWatch{admin: l.client, http: l.client.http, routes: l.routes, raw: l.byTransaction}
	for _, name := range gatewayNames {
		g, err := l.gateway(ctx, name)
		if err != nil {
			return err
		}
		w.statuses = append(w.statuses, g.status)
	}
	return w.measure(ctx, b, got, "in-force")
}

// writeAndWatch is an Admin API and the gateways that follow it.
type writeAndWatch struct {
	admin    *adminClient
	http     *http.Client // for the gateways
	statuses []string     // where they answer
	routes   int
	raw      func(context.Context, body) error // reads and writes in etcd itself; nil: is not compared with
}

// measure makes the rows that begin with a name.
func (w writeAndWatch) measure(ctx context.Context, b *bench, got *result, rows string) error {
	samples := b.pick(32, 8) // of a turn
	p50, p99 := rows+"-p50", rows+"-p99"
	ctx, end := context.WithCancel(ctx)
	defer end()
	var all []*follower
	for _, status := range w.statuses {
		all = append(all, follow(ctx, w.http, status))
	}
	r := rand.New(rand.NewPCG(5, 5))
	var whole, puts, raws []time.Duration
	for turn := range b.pick(11, 2) + 1 {
		var took []time.Duration
		t, err := b.during(func() (float64, error) {
			for range samples {
				s, err := w.once(ctx, r, all)
				if err != nil {
					return 0, err
				}
				took, puts, raws = append(took, s.whole), append(puts, s.put), append(raws, s.raw)
			}
			slices.Sort(took)
			return load.Quantile(took, 0.5), nil
		})
		if err != nil {
			return err
		}
		if turn == 0 {
			puts, raws = nil, nil // the first turn warms up
			continue
		}
		got.turn(p50, t)
		whole = append(whole, took...)
		b.dot()
	}
	for name, ds := range map[string][]time.Duration{"put_p50_ms": puts, "raw_p50_ms": raws} {
		slices.Sort(ds)
		if v := load.Quantile(ds, 0.5); v > 0 {
			got.beside(p50, name, stage.SixDigits(v))
		}
	}
	slices.Sort(whole)
	got.beside(p50, "samples", float64(len(whole)))
	got.turn(p99, figure.Turn{Value: stage.SixDigits(load.Quantile(whole, 0.99)), Noise: noiseOfAll(got.turns[p50])})
	got.beside(p99, "p90_ms", stage.SixDigits(load.Quantile(whole, 0.9)))
	got.beside(p99, "largest_ms", stage.SixDigits(load.Quantile(whole, 1)))
	return nil
}

// sample is one write.
type sample struct {
	raw   time.Duration // a read and a transaction with the same value in etcd itself, before; 0: not made
	put   time.Duration // until it was answered
	whole time.Duration // until all gateways had answered that it is in force
}

// once changes one route, after a pause in which nothing happens.
func (w writeAndWatch) once(ctx context.Context, r *rand.Rand, all []*follower) (s sample, err error) {
	route := made.Route(r.IntN(w.routes))
	object := route.Changed(r.IntN(1 << 30))
	if err := idle(ctx); err != nil {
		return s, err
	}
	if w.raw != nil {
		start := time.Now()
		if err := w.raw(ctx, body{id: route.ID, stored: corpus.Stored(route.ID, object)}); err != nil {
			return s, err
		}
		s.raw = time.Since(start)
		if err := idle(ctx); err != nil {
			return s, err
		}
	}
	start := time.Now()
	rev, err := w.admin.put(ctx, "routes/"+route.ID, object)
	if err != nil {
		return s, err
	}
	s.put = time.Since(start)
	for _, f := range all {
		at, err := f.reached(ctx, rev)
		if err != nil {
			return s, err
		}
		s.whole = max(s.whole, at.Sub(start))
	}
	return s, nil
}

// idle waits for 20 to 60 ms.
func idle(ctx context.Context) error {
	pause := time.NewTimer(20*time.Millisecond + rand.N(40*time.Millisecond))
	defer pause.Stop()
	select {
	case <-pause.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// noiseOfAll is the mean noise of turns of equal length.
func noiseOfAll(turns []figure.Turn) (u stage.Used) {
	for _, t := range turns {
		u.Foreign += t.Noise.Foreign / float64(len(turns))
		u.Stolen += t.Noise.Stolen / float64(len(turns))
	}
	return u
}
