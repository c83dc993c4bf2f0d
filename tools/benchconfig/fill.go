package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/unilb/unilb/tools/bench/corpus"
)

// made are the routes and upstreams of a run.
var made = corpus.Corpus{Seed: 1}

// fill writes all objects into etcd beside the Admin API, as that would: ten thousand
// take a second so. It returns the revision of the last, and the bytes of all routes.
func fill(ctx context.Context, etcd *clientv3.Client, routes int) (revision, stored int64, err error) {
	const atATime = 500 // of the 1024 that our etcd allows
	var puts []clientv3.Op
	flush := func() error {
		resp, err := etcd.Txn(ctx).Then(puts...).Commit()
		if err != nil {
			return fmt.Errorf("write %d objects to etcd: %w", len(puts), err)
		}
		revision, puts = resp.Header.Revision, puts[:0]
		return nil
	}
	put := func(dir, id string, value []byte) error {
		puts = append(puts, clientv3.OpPut(prefix+"/"+dir+"/"+id, string(value)))
		if len(puts) == atATime {
			return flush()
		}
		return nil
	}
	for i := range corpus.Upstreams {
		id, u := made.Upstream(i)
		if err := put("upstreams", id, corpus.Stored(id, u)); err != nil {
			return 0, 0, err
		}
	}
	for i := range routes {
		r := made.Route(i)
		value := corpus.Stored(r.ID, r.Object)
		stored += int64(len(value))
		if err := put("routes", r.ID, value); err != nil {
			return 0, 0, err
		}
	}
	if len(puts) > 0 {
		err = flush()
	}
	return revision, stored, err
}

// likeTheAdminAPI puts the upstreams and some routes by the Admin API, and fails when that
// stores them in another form than fill does.
func (l *lab) likeTheAdminAPI(ctx context.Context) error {
	for i := range corpus.Upstreams {
		id, u := made.Upstream(i)
		if _, err := l.client.put(ctx, "upstreams/"+id, u); err != nil {
			return err
		}
	}
	for i := range 50 {
		r := made.Route(i)
		if _, err := l.client.put(ctx, "routes/"+r.ID, r.Object); err != nil {
			return err
		}
		got, err := l.etcd.Get(ctx, prefix+"/routes/"+r.ID)
		if err != nil {
			return fmt.Errorf("read route %s: %w", r.ID, err)
		}
		if len(got.Kvs) != 1 {
			return fmt.Errorf("read route %s: it is not there", r.ID)
		}
		have, err := shape(got.Kvs[0].Value)
		if err != nil {
			return err
		}
		want, err := shape(corpus.Stored(r.ID, r.Object))
		if err != nil {
			return err
		}
		if !maps.Equal(have, want) {
			return fmt.Errorf("the Admin API stores route %s with %q, the corpus with %q", r.ID, slices.Sorted(maps.Keys(have)), slices.Sorted(maps.Keys(want)))
		}
	}
	return nil
}

// shape is an object with each member in one form, without the times.
func shape(value []byte) (map[string]string, error) {
	var o map[string]any
	if err := json.Unmarshal(value, &o); err != nil {
		return nil, err
	}
	out := map[string]string{}
	for name, v := range o {
		if name == "create_time" || name == "update_time" {
			v = "" // that it is there
		}
		text, err := json.Marshal(v)
		if err != nil {
			return nil, err
		}
		out[name] = string(text)
	}
	return out, nil
}
