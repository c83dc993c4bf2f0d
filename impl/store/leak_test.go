package store

import (
	"context"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/unilb/unilb/impl/store/etcdtest"
)

// The client waits for a member that is away as long as it takes, whatever became of
// who asked; without care etcd gets a stream of each attempt when it is back.
func TestEtcdThatWasAwayIsNotOpenedAStreamOfEachAttempt(t *testing.T) {
	etcd := etcdtest.Start(t)
	link := etcdtest.NewLink(t, etcd.Addr())
	s, err := Open(Options{Endpoints: []string{link.Endpoint()}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	s.beginning = 5 * time.Millisecond
	streams := func() (n int) {
		families, err := prometheus.DefaultGatherer.Gather()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range families {
			if f.GetName() == "etcd_debugging_mvcc_watch_stream_total" {
				n = int(f.GetMetric()[0].GetGauge().GetValue())
			}
		}
		return n
	}
	before := streams()
	kvs, h, err := s.list(t.Context(), "/d")
	if err != nil {
		t.Fatal(err)
	}
	link.Cut()
	for range 20 {
		w := &watch{s: s, prefix: "/d", apply: func(Batch) {}, at: h, handed: newVersions()}
		w.handed.replace(kvs)
		if _, err := w.run(t.Context()); err == nil {
			t.Fatal("a watch over a link that is cut did not end")
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
		err := since(ctx, s.members.each[0].c, h.revision, h.revision+1, func(KV) {})
		cancel()
		if err == nil {
			t.Fatal("a look at the past over a link that is cut did not end")
		}
	}
	link.Heal()
	s.beginning = beginning
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	batches, done := make(chan Batch, 10), make(chan struct{})
	go func() {
		defer close(done)
		_ = s.Watch(ctx, "/d", func(b Batch) { batches <- b })
	}()
	rev := write(t, s, "/d/new")
	for b := range batches {
		if b.Revision >= rev {
			break
		}
	}
	for range 2 { // by the watch, if the first came by the list
		if write(t, s, "/d/new"); (<-batches).Revision == 0 {
			t.Error("no revision")
		}
	}
	if got := streams() - before; got != 1 {
		t.Errorf("%d streams, want the one that is watched", got)
	}
	cancel()
	<-done
}
