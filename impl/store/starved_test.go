package store

import (
	"context"
	"errors"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/unilb/unilb/impl/store/etcdtest"
)

// A member that has lost a watch goes on to answer the others of the stream.
func TestWatchLeavesAMemberThatAnswersOthersOnly(t *testing.T) {
	t.Parallel()
	s, err := Open(Options{Endpoints: []string{etcdtest.Start(t).Endpoint()}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	s.starvation = 500 * time.Millisecond
	ctx, cancel := context.WithCancel(t.Context())
	// While one watch is of the future, the member tells nobody on the stream how far it is.
	st := s.join()
	within, stop := st.within(ctx)
	future := st.m.c.Watch(within, "/f", clientv3.WithRev(1<<40), clientv3.WithCreatedNotify())
	<-future
	ended := make(chan error, 1)
	go func() {
		_, err := (&watch{s: s, prefix: "/idle", apply: func(Batch) {}}).run(ctx)
		ended <- err
	}()
	busy := make(chan struct{})
	go func() {
		defer close(busy)
		_ = s.Watch(ctx, "/busy", func(Batch) {})
	}()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(30 * time.Second)
	for waits := true; waits; {
		select {
		case err := <-ended:
			waits = false
			if !errors.Is(err, errStarved) {
				t.Errorf("got %v, want that the member answers other watches only", err)
			}
		case <-tick.C:
			write(t, s, "/busy/1")
		case <-limit:
			waits = false
			t.Error("the watch stays")
		}
	}
	cancel()
	stop()
	<-busy
}
