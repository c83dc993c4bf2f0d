package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/unilb/unilb/tools/bench/figure"
	"github.com/unilb/unilb/tools/bench/stage"
)

// measureLastGood changes routes under two gateways, one of which keeps the last good
// configuration, and compares what they use.
func measureLastGood(ctx context.Context, b *bench, got *result) (err error) {
	l, err := b.needed(ctx)
	if err != nil {
		return err
	}
	if err := l.stopOthers(); err != nil {
		return err
	}
	plain, err := l.gateway(ctx, gatewayNames[0])
	if err != nil {
		return err
	}
	dir := filepath.Join(b.dir, "state")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	keeps, err := l.gateway(ctx, "keeps", "--state-dir="+dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.stop(keeps.name)) }()
	const rate = 100
	seconds := b.pick(20, 8) // the file is written every ten seconds at most
	for range b.pick(2, 1) {
		before, errBefore := l.usedBy(plain, keeps)
		t, err := b.during(func() (float64, error) { return 0, l.steadily(ctx, rate, seconds) })
		after, errAfter := l.usedBy(plain, keeps)
		if err := errors.Join(err, errBefore, errAfter); err != nil {
			return err
		}
		changes := float64(rate * seconds)
		t.Value = stage.SixDigits(((after[1].cpu - before[1].cpu) - (after[0].cpu - before[0].cpu)).Seconds() * 1e6 / changes)
		got.turn("last-good-cpu", t)
		got.beside("last-good-cpu", "without_us", stage.SixDigits((after[0].cpu-before[0].cpu).Seconds()*1e6/changes))
		got.turn("last-good-bytes", figure.Turn{Value: stage.SixDigits((after[1].written - before[1].written - after[0].written + before[0].written) / changes), Noise: t.Noise})
		b.dot()
	}
	m, err := scrape(ctx, keeps.status)
	if err != nil {
		return err
	}
	got.beside("last-good-bytes", "writes_of_the_file", m[`unilb_last_good_writes_total{result="done"}`])
	return nil
}

// usage is what a gateway has used since its start.
type usage struct {
	cpu     time.Duration
	written float64 // bytes, to files and sockets
}

func (l *lab) usedBy(gs ...*gateway) (out []usage, err error) {
	for _, g := range gs {
		cpu, err := l.groups.Usage(g.group)
		if err != nil {
			return nil, err
		}
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/io", g.process.PID()))
		if err != nil {
			return nil, err
		}
		u := usage{cpu: cpu}
		for line := range strings.Lines(string(b)) {
			if v, ok := strings.CutPrefix(line, "wchar: "); ok {
				if u.written, err = strconv.ParseFloat(strings.TrimSpace(v), 64); err != nil {
					return nil, err
				}
			}
		}
		out = append(out, u)
	}
	return out, nil
}

// steadily changes random routes at fixed moments.
func (l *lab) steadily(ctx context.Context, rate, seconds int) error {
	var workers errgroup.Group
	workers.SetLimit(callers)
	tick := time.NewTicker(time.Second / time.Duration(rate))
	defer tick.Stop()
	for i := range rate * seconds {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return errors.Join(context.Cause(ctx), workers.Wait())
		}
		r := made.Route((i * 104729) % l.routes)
		workers.Go(func() error {
			_, err := l.client.put(ctx, "routes/"+r.ID, r.Changed(i))
			return err
		})
	}
	return workers.Wait()
}
