package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
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
	w := writeAndWatch{admin: l.client, http: l.client.http, routes: l.routes}
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
}

// measure makes the rows that begin with a name.
func (w writeAndWatch) measure(ctx context.Context, b *bench, got *result, rows string) error {
	const samples = 32 // of a turn
	p50, p99 := rows+"-p50", rows+"-p99"
	r := rand.New(rand.NewPCG(5, 5))
	var all, puts []time.Duration
	for turn := range b.pick(11, 2) + 1 {
		var took []time.Duration
		t, err := b.during(func() (float64, error) {
			for range samples {
				put, whole, err := w.once(ctx, r)
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
		got.turn(p50, t)
		all = append(all, took...)
		b.dot()
	}
	slices.Sort(all)
	slices.Sort(puts)
	got.beside(p50, "put_p50_ms", stage.SixDigits(load.Quantile(puts, 0.5)))
	got.beside(p50, "samples", float64(len(all)))
	got.turn(p99, figure.Turn{Value: stage.SixDigits(load.Quantile(all, 0.99)), Noise: noiseOfAll(got.turns[p50])})
	got.beside(p99, "p90_ms", stage.SixDigits(load.Quantile(all, 0.9)))
	got.beside(p99, "largest_ms", stage.SixDigits(load.Quantile(all, 1)))
	return nil
}

// once changes one route: how long the PUT took, and how long until all gateways have
// answered, after a pause in which nothing happens.
func (w writeAndWatch) once(ctx context.Context, r *rand.Rand) (put, whole time.Duration, err error) {
	route := made.Route(r.IntN(w.routes))
	object := route.Changed(r.IntN(1 << 30))
	pause := time.NewTimer(20*time.Millisecond + rand.N(40*time.Millisecond))
	defer pause.Stop()
	select {
	case <-pause.C:
	case <-ctx.Done():
		return 0, 0, context.Cause(ctx)
	}
	start := time.Now()
	rev, err := w.admin.put(ctx, "routes/"+route.ID, object)
	if err != nil {
		return 0, 0, err
	}
	put = time.Since(start)
	err = w.served(ctx, rev)
	return put, time.Since(start), err
}

// served waits until a revision is in force on all gateways; the connections stay.
func (w writeAndWatch) served(ctx context.Context, revision int64) error {
	var polls errgroup.Group
	for _, at := range w.statuses {
		polls.Go(func() error { return serves(ctx, w.http, at, revision) })
	}
	return polls.Wait()
}

// serves waits until a revision is in force on the gateway with that status listener.
func serves(ctx context.Context, c *http.Client, status string, revision int64) error {
	return discard(ctx, c, fmt.Sprintf("http://%s/status/applied?prefix=%s&revision=%d&timeout=20s", status, prefix, revision))
}

// noiseOfAll is the mean noise of turns of equal length.
func noiseOfAll(turns []figure.Turn) (u stage.Used) {
	for _, t := range turns {
		u.Foreign += t.Noise.Foreign / float64(len(turns))
		u.Stolen += t.Noise.Stolen / float64(len(turns))
	}
	return u
}
