package main

import (
	"context"
	"encoding/json"
	"fmt"
	"sync/atomic"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"golang.org/x/sync/errgroup"

	"github.com/unilb/unilb/tools/bench/corpus"
	"github.com/unilb/unilb/tools/bench/stage"
)

// A body is one write.
type body struct {
	id     string
	put    []byte // to the Admin API
	stored []byte // what etcd gets for it
}

// writesOfCaller is how many routes each caller has for itself.
const writesOfCaller = 100

// measureWrites lets callers write routes through the Admin API, and in turn read and
// write as large values in etcd itself.
func measureWrites(ctx context.Context, b *bench, got *result) error {
	l, err := b.needed(ctx)
	if err != nil {
		return err
	}
	if err := l.stopAll(); err != nil {
		return err
	}
	pool, err := bodies()
	if err != nil {
		return err
	}
	slice := time.Duration(b.pick(2000, 1000)) * time.Millisecond
	for turn := range b.pick(9, 3) + 1 {
		api, err := b.during(func() (float64, error) { return l.many(ctx, slice, pool, l.byAPI) })
		if err != nil {
			return err
		}
		raw, err := b.during(func() (float64, error) { return l.many(ctx, slice, pool, l.byTransaction) })
		if err != nil {
			return err
		}
		if turn == 0 {
			continue // it warms up
		}
		got.turn("writes", api)
		ratio := api
		ratio.Value = stage.SixDigits(api.Value / raw.Value)
		ratio.Noise.Foreign, ratio.Noise.Stolen = max(api.Noise.Foreign, raw.Noise.Foreign), max(api.Noise.Stolen, raw.Noise.Stolen)
		got.turn("writes-vs-raw", ratio)
		got.beside("writes-vs-raw", "last_raw_per_s", raw.Value)
		b.dot()
	}
	return nil
}

// bodies are a hundred writes for each caller, of routes that no other caller has.
func bodies() ([][]body, error) {
	pool := make([][]body, callers)
	for c := range pool {
		for i := range writesOfCaller {
			r := made.Route(i*callers + c)
			o := r.Changed(i)
			put, err := json.Marshal(o)
			if err != nil {
				return nil, err
			}
			pool[c] = append(pool[c], body{r.ID, put, corpus.Stored(r.ID, o)})
		}
	}
	return pool, nil
}

// many lets each caller write one after the other, and returns how many writes a second
// were made.
func (l *lab) many(ctx context.Context, within time.Duration, pool [][]body, write func(context.Context, body) error) (float64, error) {
	var n atomic.Int64
	start := time.Now()
	g, ctx := errgroup.WithContext(ctx)
	for _, own := range pool {
		g.Go(func() error {
			for i := 0; time.Since(start) < within; i++ {
				if err := write(ctx, own[i%len(own)]); err != nil {
					return err
				}
				n.Add(1)
			}
			return nil
		})
	}
	err := g.Wait()
	return float64(n.Load()) / time.Since(start).Seconds(), err
}

func (l *lab) byAPI(ctx context.Context, b body) error {
	_, err := l.client.putBytes(ctx, "routes/"+b.id, b.put)
	return err
}

// byTransaction reads a key and writes it if it is what it was: the least that a PUT
// can do.
func (l *lab) byTransaction(ctx context.Context, b body) error {
	key := "/raw/routes/" + b.id
	was, err := l.etcd.Get(ctx, key)
	if err != nil {
		return err
	}
	mod := int64(0)
	if len(was.Kvs) > 0 {
		mod = was.Kvs[0].ModRevision
	}
	resp, err := l.etcd.Txn(ctx).If(clientv3.Compare(clientv3.ModRevision(key), "=", mod)).Then(clientv3.OpPut(key, string(b.stored))).Commit()
	if err == nil && !resp.Succeeded {
		err = fmt.Errorf("somebody else wrote %s", key)
	}
	return err
}
