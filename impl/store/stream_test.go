package store_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/unilb/unilb/impl/store"
	"github.com/unilb/unilb/impl/store/etcdtest"
)

// gauge is a number of the etcd that runs in this process; tests that use it are not
// parallel.
func gauge(t *testing.T, name string) int {
	t.Helper()
	families, err := prometheus.DefaultGatherer.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			return int(f.GetMetric()[0].GetGauge().GetValue())
		}
	}
	t.Fatalf("etcd has no %s", name)
	return 0
}

func comesTrue(t *testing.T, what string, cond func() bool) {
	t.Helper()
	for limit := time.Now().Add(patience); !cond(); <-time.After(time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatalf("not reached: %s", what)
		}
	}
}

// What etcd keeps for a process, and looks at for each change, is one stream, however
// many directories the process follows.
func TestAllWatchesOfAStoreShareOneStream(t *testing.T) {
	etcd := etcdtest.Start(t)
	const streams, watches = "etcd_debugging_mvcc_watch_stream_total", "etcd_debugging_mvcc_watcher_total"
	before, watchers := gauge(t, streams), gauge(t, watches)
	link := etcdtest.NewLink(t, etcd.Addr())
	s := open(t, link.Endpoint())
	var fs []*follower
	for i := range 3 {
		fs = append(fs, follow(t, s, fmt.Sprintf("/d%d", i)))
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.Watch(ctx, "/ends", func(store.Batch) {})
	}()
	comesTrue(t, "four watches", func() bool { return gauge(t, watches)-watchers == 4 })
	if got := gauge(t, streams) - before; got != 1 {
		t.Errorf("%d streams of four watches, want 1", got)
	}
	cancel()
	<-done
	comesTrue(t, "three watches", func() bool { return gauge(t, watches)-watchers == 3 })
	for i, f := range fs {
		f.untilRev(put(t, s, fmt.Sprintf("/d%d/a", i), "1"))
		f.want(map[string]string{fmt.Sprintf("/d%d/a", i): "1"})
	}
	// After the link was cut they share one again, and none has listed what it has.
	link.Cut()
	direct := open(t, etcd.Endpoint())
	link.Heal()
	for i, f := range fs {
		f.untilRev(put(t, direct, fmt.Sprintf("/d%d/b", i), "1"))
		if len(f.seen) > 3 {
			t.Errorf("/d%d was handed over in %d batches, want 3", i, len(f.seen))
		}
	}
	comesTrue(t, "three watches again", func() bool { return gauge(t, watches)-watchers == 3 })
	if got := gauge(t, streams) - before; got != 1 {
		t.Errorf("%d streams of three watches after the link was cut, want 1", got)
	}
	// One that has to list again needs no other stream.
	again := follow(t, s, "/d0")
	again.untilRev(put(t, s, "/d0/c", "1"))
	if got := gauge(t, streams) - before; got != 1 {
		t.Errorf("%d streams of four watches, want 1", got)
	}
}
