package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/unilb/unilb/tools/bench/stage"
)

// measureResync cuts a gateway from etcd, compacts away the revisions that it would
// continue from, changes nothing, and looks at what it compiles when etcd is back.
func measureResync(ctx context.Context, b *bench, got *result) (err error) {
	l, err := b.needed(ctx)
	if err != nil {
		return err
	}
	relay, err := newRelay(relayAt, etcdURL[len("http://"):])
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, relay.Close()) }()
	g, err := l.gateway(ctx, "far", "--etcd=http://"+relayAt)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.stop(g.name)) }()
	for range b.pick(3, 1) {
		t, err := b.during(func() (float64, error) { return l.resync(ctx, g, relay, got) })
		if err != nil {
			return err
		}
		got.turn("resync-rebuilt", t)
		b.dot()
	}
	return nil
}

const (
	rebuiltName = "unilb_config_objects_rebuilt_total"
	resyncsName = `unilb_etcd_resyncs_total{reason="compacted"}`
)

// resync returns how many objects were rebuilt.
func (l *lab) resync(ctx context.Context, g *gateway, r *relay, got *result) (float64, error) {
	before, err := scrape(ctx, g.status)
	if err != nil {
		return 0, err
	}
	if before[rebuiltName] < float64(l.routes) {
		return 0, fmt.Errorf("%s is %g, want at least %d: it counts nothing", rebuiltName, before[rebuiltName], l.routes)
	}
	cpu, err := l.groups.Usage(g.group)
	if err != nil {
		return 0, err
	}
	r.cut()
	var revision int64
	for range 2 { // of something that the gateway does not watch
		resp, err := l.etcd.Put(ctx, "/elsewhere", "1")
		if err != nil {
			return 0, err
		}
		revision = resp.Header.Revision
	}
	if _, err := l.etcd.Compact(ctx, revision, clientv3.WithCompactPhysical()); err != nil {
		return 0, err
	}
	start := time.Now()
	r.heal()
	after := before
	const within = time.Minute
	err = g.process.Await(ctx, within, func(ctx context.Context) (err error) {
		if after, err = scrape(ctx, g.status); err != nil {
			return err
		}
		if n := after[resyncsName] - before[resyncsName]; n < 2 {
			return fmt.Errorf("%g of 2 directories were listed again", n)
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	got.beside("resync-rebuilt", "last_wall_s", stage.SixDigits(time.Since(start).Seconds()))
	used, err := l.groups.Usage(g.group)
	got.beside("resync-rebuilt", "last_cpu_s", stage.SixDigits((used - cpu).Seconds()))
	return after[rebuiltName] - before[rebuiltName], err
}
