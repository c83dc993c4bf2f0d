package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/unilb/unilb/sim/echo"
	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/traffic"
)

const (
	keptConns   = 64
	warmUp      = time.Second
	drainWithin = 15 * time.Second
)

// measureClients says what recorded requests cost the lab process: clients in one
// namespace, an echo backend in another, nothing between.
func measureClients(ctx context.Context, s Settings) ([]Sample, error) {
	return overVeth(ctx, s)
}

// measureClientsAtFullSpeed says how many requests the lab process can record.
func measureClientsAtFullSpeed(ctx context.Context, s Settings) ([]Sample, error) {
	s.Rate = 0
	return overVeth(ctx, s)
}

func overVeth(ctx context.Context, s Settings) (_ []Sample, err error) {
	a, err := newPlace("10.0.0.0/31")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	b, err := newPlace("10.0.0.1/31")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	if err := join(a, b); err != nil {
		return nil, err
	}
	rec := history.NewRecorder(history.NewClock())
	server := echo.New(echo.Options{Ref: "idc/x/blue-1", Sink: rec, Lean: true})
	l, err := b.listen(8080)
	if err != nil {
		return nil, err
	}
	go func() { _ = server.Serve(l) }() // it ends with Close
	defer func() { err = errors.Join(err, server.Close()) }()
	return underLoad(ctx, s, rec, traffic.Client{Ref: "client/inet-1", Dialer: a}, netip.AddrPortFrom(b.at.Addr(), 8080), "")
}

// underLoad sends the load, in a closed loop when it has no rate, and measures
// between warm-up and stop.
func underLoad(ctx context.Context, s Settings, rec *history.Recorder, c traffic.Client, to netip.AddrPort, host string) ([]Sample, error) {
	pace := traffic.PerSecond(s.Rate)
	if s.Rate == 0 {
		pace = traffic.Closed(keptConns)
	}
	stream, err := traffic.Start(ctx, []traffic.Client{c}, rec, traffic.New("bench", to, pace, traffic.Keepalive(keptConns), traffic.ToHost(host)))
	if err != nil {
		return nil, err
	}
	err = stream.Steady(ctx, warmUp)
	from := rec.Now()
	before, cpuErr := ownCPU()
	if err == nil {
		err = sleep(ctx, s.For)
	}
	until := rec.Now()
	used, cpuErr2 := ownCPU()
	used -= before
	wait, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainWithin)
	defer cancel()
	h, stopErr := stream.Stop(wait)
	if err := errors.Join(err, cpuErr, cpuErr2, stopErr); err != nil {
		return nil, err
	}
	return figures(h, from, until, used)
}

// figures tells of the operations that were sent between two moments of the run.
func figures(h *history.History, from, until, used time.Duration) ([]Sample, error) {
	var latency, late []float64
	bad := 0
	for _, o := range h.Ops {
		if o.Sent < from || o.Sent >= until {
			continue
		}
		latency = append(latency, float64(o.Latency())/1e6)
		late = append(late, float64(o.Sent-o.Intended)/1e6)
		if o.Outcome != history.OK {
			bad++
		}
	}
	if len(latency) == 0 {
		return nil, fmt.Errorf("nothing was recorded in %s", until-from)
	}
	n, took := float64(len(latency)), (until - from).Seconds()
	return []Sample{
		{"rate", "1/s", n / took},
		{"cpu", "cores", used.Seconds() / took},
		{"cpu-per-request", "us", used.Seconds() / n * 1e6},
		{"late-p99", "ms", quantile(late, 0.99)},
		{"latency-p50", "ms", quantile(latency, 0.5)},
		{"latency-p99", "ms", quantile(latency, 0.99)},
		{"not-ok", "1", float64(bad)},
	}, nil
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
