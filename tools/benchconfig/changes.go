package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/unilb/unilb/sim/sandbox"
	"github.com/unilb/unilb/tools/bench/figure"
	"github.com/unilb/unilb/tools/bench/load"
	"github.com/unilb/unilb/tools/bench/stage"
)

const (
	changeRate = 300 // a second
	loadRoutes = 50  // that the load goes to; the corpus's routes are for nobody
	loadConns  = 64
)

// measureChanges sends requests at fixed moments through one gateway: in two quiet phases,
// through a minute of changes, and in two quiet phases again.
func measureChanges(ctx context.Context, b *bench, got *result) (err error) {
	l, err := b.needed(ctx)
	if err != nil {
		return err
	}
	if err := l.stopOthers(); err != nil {
		return err
	}
	g, err := l.gateway(ctx, gatewayNames[0])
	if err != nil {
		return err
	}
	responder, err := b.spawn.Keep(sandbox.Part(load.ResponderPart, responderAt), "responder", b.dir, b.place("load"))
	if err != nil {
		return err
	}
	defer responder.Stop()
	requests, err := l.forLoad(ctx, g)
	if err != nil {
		return err
	}
	order := load.OpenOrder{At: netip.MustParseAddrPort(g.data), Requests: requests, Conns: loadConns, Patience: 5 * time.Second}
	capacity, err := b.capacity(ctx, order)
	if err != nil {
		return err
	}
	order.Rate = max(1, int(capacity/10))
	got.beside("changes-p99", "requests_per_s", float64(order.Rate))
	still, busy := order, order
	still.For = time.Duration(b.pick(15, 2)) * time.Second
	busy.For, busy.Parts = time.Duration(b.pick(60, 5))*time.Second, 3
	before, err := b.twice(ctx, still, got)
	if err != nil {
		return err
	}
	changed, err := b.phase(ctx, busy, func(ctx context.Context) error { return l.changing(ctx, g, busy.For) })
	if err != nil {
		return err
	}
	b.lost(got, changed)
	after, err := b.twice(ctx, still, got)
	if err != nil {
		return err
	}
	quiet := (before[0] + before[1] + after[0] + after[1]) / 4
	for _, p99 := range changed.PartP99 {
		got.turn("changes-p99", figure.Turn{Value: stage.SixDigits(p99 / quiet), Noise: changed.noise})
	}
	// Two phases that follow each other, and those before with those after.
	same := []float64{before[0] / before[1], after[0] / after[1], (before[0] + before[1]) / (after[0] + after[1])}
	got.aa["changes-p99"] = &figure.Spread{Low: stage.SixDigits(slices.Min(same)), High: stage.SixDigits(slices.Max(same))}
	got.beside("changes-p99", "quiet_p99_ms", stage.SixDigits(quiet))
	got.beside("changes-p99", "changes_p99_ms", stage.SixDigits(changed.P99))
	return nil
}

// twice plays a load in two phases and returns their 99th percentiles.
func (b *bench) twice(ctx context.Context, o load.OpenOrder, got *result) (p99 [2]float64, err error) {
	for i := range p99 {
		p, err := b.phase(ctx, o, nil)
		if err != nil {
			return p99, err
		}
		b.lost(got, p)
		p99[i] = p.P99
	}
	return p99, nil
}

// lost notes the requests of a phase that were not answered.
func (b *bench) lost(got *result, p phase) {
	if p.Errors > 0 {
		fmt.Fprintf(b.log, "(lost %d: %s) ", p.Errors, p.Why)
	}
	got.turn("changes-lost", figure.Turn{Value: float64(p.Errors), Noise: p.noise})
	b.dot()
}

// forLoad puts the routes that the load goes to, and returns a request for each.
func (l *lab) forLoad(ctx context.Context, g *gateway) ([]string, error) {
	rev, err := l.client.put(ctx, "upstreams/responder", map[string]any{
		"type": "roundrobin", "nodes": map[string]int{responderAt: 1}, "keepalive_pool": map[string]any{"size": 1024, "idle_timeout": 600, "requests": 1_000_000_000},
	})
	if err != nil {
		return nil, err
	}
	var requests []string
	for i := range loadRoutes {
		host := fmt.Sprintf("load%d.example", i)
		if rev, err = l.client.put(ctx, fmt.Sprintf("routes/load%d", i), map[string]any{"host": host, "uri": "/r/*", "upstream_id": "responder"}); err != nil {
			return nil, err
		}
		requests = append(requests, "GET /r/128 HTTP/1.1\r\nHost: "+host+"\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n")
	}
	l.more = loadRoutes
	return requests, serves(ctx, l.client.http, g.status, rev)
}

// phase is what a load tells of a phase, and what else the machine did.
type phase struct {
	load.Outcome
	noise stage.Used
}

// phase plays an order, and does something else beside it.
func (b *bench) phase(ctx context.Context, o load.OpenOrder, beside func(context.Context) error) (p phase, err error) {
	var both errgroup.Group
	t, err := b.during(func() (float64, error) {
		if beside != nil {
			both.Go(func() error { return beside(ctx) })
		}
		both.Go(func() (err error) { p.Outcome, err = b.play(ctx, o); return err })
		return 0, both.Wait()
	})
	p.noise = t.Noise
	return p, err
}

func (b *bench) play(ctx context.Context, o load.OpenOrder) (out load.Outcome, err error) {
	arg, err := json.Marshal(o)
	if err != nil {
		return out, err
	}
	text, err := b.spawn.Run(ctx, sandbox.Part(load.OpenPart, string(arg)), b.place("load"))
	if err != nil {
		return out, err
	}
	return out, json.Unmarshal([]byte(text), &out)
}

// capacity is how many requests a second come back when more are due than the gateway
// can answer.
func (b *bench) capacity(ctx context.Context, o load.OpenOrder) (float64, error) {
	o.Rate, o.For, o.Patience = 400_000, 2*time.Second, 0
	out, err := b.play(ctx, o)
	if err != nil {
		return 0, err
	}
	if out.Requests == 0 {
		return 0, fmt.Errorf("the gateway answers nothing: %s", out.Why)
	}
	return float64(out.Requests) / out.Took, nil
}

// changing changes routes at fixed moments for some time, and sees that the last one
// comes into force.
func (l *lab) changing(ctx context.Context, g *gateway, during time.Duration) error {
	n := int(during.Seconds() * changeRate)
	var workers errgroup.Group
	workers.SetLimit(callers)
	revisions := make([]int64, n)
	start := time.Now()
	for i := range n {
		due := time.NewTimer(time.Until(start.Add(time.Duration(i) * time.Second / changeRate)))
		select {
		case <-due.C:
		case <-ctx.Done():
			due.Stop()
			return errors.Join(context.Cause(ctx), workers.Wait())
		}
		r := made.Route((i * 7919) % l.routes)
		workers.Go(func() (err error) {
			revisions[i], err = l.client.put(ctx, "routes/"+r.ID, r.Changed(i))
			return err
		})
	}
	if err := workers.Wait(); err != nil {
		return err
	}
	if took := time.Since(start); took > during+during/10 {
		return fmt.Errorf("%d changes took %.1f s, want %s", n, took.Seconds(), during)
	}
	const within = 5 * time.Second
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	if err := serves(ctx, l.client.http, g.status, slices.Max(revisions)); err != nil {
		return fmt.Errorf("the last of %d changes does not come into force: %w", n, err)
	}
	return nil
}
