package store

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/store/etcdtest"
)

// A lab of two etcds that look like members of one cluster: their cluster ids are
// equal. Questions of s are answered by the quorum, whichever member they are put to, and
// watches by the members.
func twoMembers(t *testing.T) (s, quorum, lagging *Store) {
	t.Helper()
	open := func(endpoint string) *Store {
		s, err := Open(Options{Endpoints: []string{endpoint}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return s
	}
	a, b := etcdtest.Start(t).Endpoint(), etcdtest.Start(t).Endpoint()
	quorum, lagging = open(a), open(b)
	s = open(a)
	behind := open(b).members.each[0]
	behind.c.KV = s.members.each[0].c.KV
	s.members.each = append([]*member{behind}, s.members.each...)
	return s, quorum, lagging
}

func write(t *testing.T, s *Store, key string) int64 {
	t.Helper()
	rev, err := s.Commit(t.Context(), nil, Op{Key: key, Value: []byte("1")})
	if err != nil {
		t.Fatal(err)
	}
	return rev
}

func TestMemberThatLagsIsNotTakenForARestoredCluster(t *testing.T) {
	t.Parallel()
	s, quorum, lagging := twoMembers(t)
	for i := range 5 {
		write(t, quorum, fmt.Sprint("/d/", i))
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	batches := make(chan Batch, 100)
	w := &watch{s: s, prefix: "/d", apply: func(b Batch) { batches <- b }}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			// It may lag for longer than a watch waits; what it must not be is
			// replaced, nor the directory listed again.
			if _, err := w.run(ctx); ctx.Err() == nil && !errors.Is(err, errLagging) {
				t.Error(err)
				return
			}
			s.streams.mu.Lock()
			s.streams.turn = 0
			s.streams.mu.Unlock()
		}
	}()
	at := (<-batches).Revision
	for write(t, lagging, "/elsewhere") < at {
	}
	rev := write(t, lagging, "/d/new")
	select {
	case b := <-batches:
		if b.Revision != rev || len(b.Puts) != 1 || b.Puts[0].Key != "/d/new" || b.Reset {
			t.Errorf("got %+v, want /d/new at %d", b, rev)
		}
	case <-done:
		t.Error("the watch ended")
	case <-time.After(30 * time.Second):
		t.Error("the member caught up and its events did not arrive")
	}
	cancel()
	<-done
}

func TestWatchLeavesAMemberThatLagsForLong(t *testing.T) {
	t.Parallel()
	s, quorum, _ := twoMembers(t)
	for i := range 5 {
		write(t, quorum, fmt.Sprint("/d/", i))
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	batches := make(chan Batch, 100)
	w := &watch{s: s, prefix: "/d", apply: func(b Batch) { batches <- b }}
	if _, err := w.run(ctx); !errors.Is(err, errLagging) {
		t.Fatalf("got %v, want that the member lags", err)
	}
	<-batches
	done := make(chan error, 1)
	go func() { _, err := w.run(ctx); done <- err }()
	rev := write(t, quorum, "/d/new")
	select {
	case b := <-batches:
		if b.Revision != rev {
			t.Errorf("got %+v, want revision %d", b, rev)
		}
	case err := <-done:
		t.Fatal(err)
	case <-time.After(30 * time.Second):
		t.Error("the next member was not watched")
	}
	cancel()
	<-done
}
