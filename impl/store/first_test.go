package store_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/store"
	"github.com/unilb/unilb/impl/store/etcdtest"
)

func TestFirstChangeIsTheFirstAndBounded(t *testing.T) {
	t.Parallel()
	etcd := etcdtest.Start(t)
	s := open(t, etcd.Endpoint())
	begin := put(t, s, "/a", "1")
	beside := put(t, s, "/b", "1")
	gone := commit(t, s, store.Op{Key: "/0", Value: []byte("1")}, store.Op{Key: "/a", Delete: true}, store.Op{Key: "/z", Value: []byte("1")})
	again := put(t, s, "/a", "2")
	end := put(t, s, "/b", "2")
	for _, tc := range []struct {
		name        string
		after, upTo int64
		mod         int64 // 0: nothing happened
		value       string
		deleted     bool
	}{
		{name: "a delete, though it was put again", after: begin, upTo: end, mod: gone, deleted: true},
		{name: "one that is the last of all", after: beside, upTo: gone, mod: gone, deleted: true},
		{name: "a put", after: gone, upTo: end, mod: again, value: "2"},
		{name: "nothing before the end", after: begin, upTo: beside},
		{name: "nothing at the end of all", after: again, upTo: end},
		{name: "nothing between a revision and itself", after: end, upTo: end},
	} {
		t.Run(tc.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			kv, ok, err := s.FirstChange(ctx, "/a", tc.after, tc.upTo)
			if err != nil || ok != (tc.mod != 0) || kv.Mod != tc.mod || string(kv.Value) != tc.value || ok && (kv.Create == 0) != tc.deleted {
				t.Errorf("got %+v, %v, %v, want revision %d with %q, deleted %v", kv, ok, err, tc.mod, tc.value, tc.deleted)
			}
		})
	}

	compactAt(t, etcd, end)
	if kv, ok, err := s.FirstChange(t.Context(), "/a", begin, end); !errors.Is(err, store.ErrCompacted) || ok {
		t.Errorf("compacted: got %+v, %v, %v, want %v", kv, ok, err, store.ErrCompacted)
	}
}

func TestFirstChangeLeavesAMemberThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes as long as one attempt")
	}
	etcd := etcdtest.Start(t)
	link := etcdtest.NewLink(t, etcd.Addr())
	link.Freeze()
	direct := open(t, etcd.Endpoint())
	begin := put(t, direct, "/a", "1")
	gone := del(t, direct, "/a")
	s := open(t, link.Endpoint(), etcd.Endpoint())
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for range 4 { // the member to begin with is chosen at random
		if kv, ok, err := s.FirstChange(ctx, "/a", begin, gone); err != nil || !ok || kv.Mod != gone {
			t.Fatalf("got %+v, %v, %v, want revision %d", kv, ok, err, gone)
		}
	}
}

func TestFirstChangeSaysThatEtcdIsAway(t *testing.T) {
	t.Parallel()
	etcd := etcdtest.Start(t)
	etcd.Down()
	s := open(t, etcd.Endpoint())
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	var away *store.UnavailableError
	if _, ok, err := s.FirstChange(ctx, "/a", 1, 2); !errors.As(err, &away) || away.Unknown || ok {
		t.Errorf("got %v, %v, want an UnavailableError", ok, err)
	}
}
