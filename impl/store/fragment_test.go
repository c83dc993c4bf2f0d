package store

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/store/etcdtest"
)

// A member would answer a watch that comes back with everything at once, gigabytes in
// the worst case, if it were not asked to do so in pieces.
func TestEventsOfManyMegabytesComeInPieces(t *testing.T) {
	t.Parallel()
	const n, most = 24, 20 << 20
	value := bytes.Repeat([]byte{'x'}, 1<<20)
	etcd := etcdtest.Start(t)
	link := etcdtest.NewLink(t, etcd.Addr())
	connect := func(o Options) *Store {
		s, err := Open(o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return s
	}
	direct := connect(Options{Endpoints: []string{etcd.Endpoint()}})
	s := connect(Options{Endpoints: []string{link.Endpoint()}, maxReceive: most})
	ctx, cancel := context.WithCancel(t.Context())
	batches, done := make(chan Batch, n+1), make(chan struct{})
	go func() { defer close(done); _ = s.Watch(ctx, "/d", func(b Batch) { batches <- b }) }()
	defer func() { cancel(); <-done }()
	<-batches // the list
	link.Cut()
	for i := range n {
		if _, err := direct.Commit(t.Context(), nil, Op{Key: fmt.Sprintf("/d/%02d", i), Value: value}); err != nil {
			t.Fatal(err)
		}
	}
	link.Heal()
	limit := time.After(30 * time.Second)
	for got := 0; got < n; {
		select {
		case b := <-batches:
			for _, kv := range b.Puts {
				if !bytes.Equal(kv.Value, value) {
					t.Errorf("%s has %d bytes, want %d", kv.Key, len(kv.Value), len(value))
				}
			}
			got += len(b.Puts)
		case <-limit:
			t.Fatalf("%d of %d objects arrived", got, n)
		}
	}
}
