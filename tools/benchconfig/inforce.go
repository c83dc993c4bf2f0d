package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/unilb/unilb/tools/bench/figure"
	"github.com/unilb/unilb/tools/bench/load"
	"github.com/unilb/unilb/tools/bench/stage"
)

// measureInForce writes routes, one at a time and with pauses, and asks the gateways by
// long-poll for the revision of each write.
func measureInForce(ctx context.Context, b *bench, got *result) error {
	l, err := b.needed(ctx)
	if err != nil {
		return err
	}
	var gs []*gateway
	for _, name := range gatewayNames {
		g, err := l.gateway(ctx, name)
		if err != nil {
			return err
		}
		gs = append(gs, g)
	}
	const samples = 32 // of a turn
	r := rand.New(rand.NewPCG(5, 5))
	var all, puts []time.Duration
	for turn := range b.pick(11, 2) + 1 {
		var took []time.Duration
		t, err := b.during(func() (float64, error) {
			for range samples {
				put, whole, err := l.inForce(ctx, gs, r)
				if err != nil {
					return 0, err
				}
				took, puts = append(took, whole), append(puts, put)
			}
			slices.Sort(took)
			return load.Quantile(took, 0.5), nil
		})
		if err != nil {
			return err
		}
		if turn == 0 {
			puts = nil // the first turn warms up
			continue
		}
		got.turn("in-force-p50", t)
		all = append(all, took...)
		b.dot()
	}
	slices.Sort(all)
	slices.Sort(puts)
	got.beside("in-force-p50", "put_p50_ms", load.Quantile(puts, 0.5))
	got.beside("in-force-p50", "samples", float64(len(all)))
	got.turn("in-force-p99", figure.Turn{Value: stage.SixDigits(load.Quantile(all, 0.99)), Noise: noiseOfAll(got.turns["in-force-p50"])})
	got.beside("in-force-p99", "p90_ms", load.Quantile(all, 0.9))
	got.beside("in-force-p99", "largest_ms", load.Quantile(all, 1))
	return nil
}

// inForce changes one route: how long the PUT took, and how long until all gateways
// have answered, after a pause in which nothing happens.
func (l *lab) inForce(ctx context.Context, gs []*gateway, r *rand.Rand) (put, whole time.Duration, err error) {
	route := made.Route(r.IntN(l.routes))
	object := route.Changed(r.IntN(1 << 30))
	pause := time.NewTimer(20*time.Millisecond + rand.N(40*time.Millisecond))
	defer pause.Stop()
	select {
	case <-pause.C:
	case <-ctx.Done():
		return 0, 0, context.Cause(ctx)
	}
	start := time.Now()
	rev, err := l.client.put(ctx, "routes/"+route.ID, object)
	if err != nil {
		return 0, 0, err
	}
	put = time.Since(start)
	var polls errgroup.Group
	for _, g := range gs {
		polls.Go(func() error { return g.serves(ctx, rev) })
	}
	err = polls.Wait()
	return put, time.Since(start), err
}

// serves waits until a revision is in force; the connection stays.
func (g *gateway) serves(ctx context.Context, revision int64) error {
	return discard(ctx, fmt.Sprintf("http://%s/status/applied?prefix=%s&revision=%d&timeout=10s", g.status, prefix, revision))
}

// noiseOfAll is the mean noise of turns of equal length.
func noiseOfAll(turns []figure.Turn) (u stage.Used) {
	for _, t := range turns {
		u.Foreign += t.Noise.Foreign / float64(len(turns))
		u.Stolen += t.Noise.Stolen / float64(len(turns))
	}
	return u
}
