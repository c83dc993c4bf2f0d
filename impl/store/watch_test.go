package store_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/unilb/unilb/impl/store"
	"github.com/unilb/unilb/impl/store/etcdtest"
)

const patience = 30 * time.Second // deadline of a condition; reached only when a test fails

func open(t *testing.T, endpoints ...string) *store.Store {
	t.Helper()
	s, err := store.Open(store.Options{Endpoints: endpoints})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func put(t *testing.T, s *store.Store, key, value string) int64 {
	t.Helper()
	return commit(t, s, store.Op{Key: key, Value: []byte(value)})
}

func del(t *testing.T, s *store.Store, key string) int64 {
	t.Helper()
	return commit(t, s, store.Op{Key: key, Delete: true})
}

func commit(t *testing.T, s *store.Store, ops ...store.Op) int64 {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	rev, err := s.Commit(ctx, nil, ops...)
	if err != nil {
		t.Fatal(err)
	}
	return rev
}

// follower keeps what a consumer would: the content it was handed and the
// batches themselves.
type follower struct {
	t       *testing.T
	batches chan store.Batch
	content map[string]string
	seen    []store.Batch
	rev     int64
}

func follow(t *testing.T, s *store.Store, prefix string) *follower {
	t.Helper()
	f := &follower{t: t, batches: make(chan store.Batch, 1000), content: map[string]string{}}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.Watch(ctx, prefix, func(b store.Batch) { f.batches <- b })
	}()
	t.Cleanup(func() { cancel(); <-done })
	return f
}

// until takes batches until cond holds.
func (f *follower) until(what string, cond func() bool) {
	f.t.Helper()
	deadline := time.After(patience)
	for !cond() {
		select {
		case b := <-f.batches:
			f.take(b)
		case <-deadline:
			f.t.Fatalf("not reached: %s; at revision %d with %v", what, f.rev, f.content)
		}
	}
}

func (f *follower) take(b store.Batch) {
	f.t.Helper()
	if b.Reset != (len(f.seen) == 0) {
		f.t.Fatalf("batch %d has Reset %v", len(f.seen), b.Reset)
	}
	for _, kv := range b.Puts {
		f.content[kv.Key] = string(kv.Value)
	}
	for _, key := range b.Deletes {
		if _, ok := f.content[key]; !ok {
			f.t.Errorf("delete of %s, which was never handed out", key)
		}
		delete(f.content, key)
	}
	f.rev = b.Revision
	f.seen = append(f.seen, b)
}

func (f *follower) untilRev(rev int64) {
	f.t.Helper()
	f.until(fmt.Sprintf("revision %d", rev), func() bool { return f.rev >= rev && len(f.seen) > 0 })
}

func (f *follower) want(content map[string]string) {
	f.t.Helper()
	if !maps.Equal(f.content, content) {
		f.t.Fatalf("content is %v, want %v", f.content, content)
	}
}

func TestWatchHandsOverEverythingThenChanges(t *testing.T) {
	t.Parallel()
	s := open(t, etcdtest.Start(t).Endpoint())
	put(t, s, "/d/a", "1")
	put(t, s, "/d/b", "1")
	put(t, s, "/d2/x", "not below /d")
	f := follow(t, s, "/d")
	f.until("first batch", func() bool { return len(f.seen) == 1 })
	f.want(map[string]string{"/d/a": "1", "/d/b": "1"})

	put(t, s, "/d/a", "2")
	put(t, s, "/d2/x", "still not")
	f.untilRev(del(t, s, "/d/b"))
	f.want(map[string]string{"/d/a": "2"})
	for _, b := range f.seen {
		if b.Prefix != "/d" {
			t.Errorf("batch has prefix %q, want it as given", b.Prefix)
		}
	}
}

func TestTransactionArrivesAsOneBatch(t *testing.T) {
	t.Parallel()
	s := open(t, etcdtest.Start(t).Endpoint())
	f := follow(t, s, "/d")
	f.until("first batch", func() bool { return len(f.seen) == 1 })
	rev := commit(t, s, store.Op{Key: "/d/a", Value: []byte("1")}, store.Op{Key: "/d/b", Value: []byte("1")})
	f.untilRev(rev)
	if got := len(f.seen[len(f.seen)-1].Puts); got != 2 {
		t.Fatalf("last batch has %d puts, want both of the transaction", got)
	}
}

// cutOff follows /d over a link, cuts the link, runs change, compacts when told
// so, heals, and returns the follower once it has the revision of change.
func cutOff(t *testing.T, compact bool, change func(s *store.Store) int64) *follower {
	t.Helper()
	etcd := etcdtest.Start(t)
	link := etcdtest.NewLink(t, etcd.Addr())
	direct := open(t, etcd.Endpoint())
	for _, k := range []string{"a", "b", "c"} {
		put(t, direct, "/d/"+k, "1")
	}
	f := follow(t, open(t, link.Endpoint()), "/d")
	f.until("first batch", func() bool { return len(f.seen) == 1 })
	link.Cut()
	rev := change(direct)
	if compact {
		compactAt(t, etcd, rev)
	}
	link.Heal()
	f.untilRev(rev)
	return f
}

func compactAt(t *testing.T, etcd *etcdtest.Server, rev int64) {
	t.Helper()
	c, err := clientv3.New(clientv3.Config{Endpoints: []string{etcd.Endpoint()}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Compact(t.Context(), rev, clientv3.WithCompactPhysical()); err != nil {
		t.Fatal(err)
	}
}

func TestWatchSurvivesAGap(t *testing.T) {
	t.Parallel()
	for _, compact := range []bool{false, true} {
		t.Run(fmt.Sprintf("compacted=%v", compact), func(t *testing.T) {
			t.Parallel()
			f := cutOff(t, compact, func(s *store.Store) int64 {
				put(t, s, "/d/a", "2")
				del(t, s, "/d/b")
				put(t, s, "/d/new", "1")
				put(t, s, "/d/short-lived", "1")
				del(t, s, "/d/short-lived")
				return put(t, s, "/d/last", "1")
			})
			f.want(map[string]string{"/d/a": "2", "/d/c": "1", "/d/new": "1", "/d/last": "1"})
			for _, b := range f.seen[1:] {
				for _, kv := range b.Puts {
					if kv.Key == "/d/c" {
						t.Error("/d/c was handed over again though it never changed")
					}
				}
			}
		})
	}
}

func TestRevisionArrivesThoughTheGapLeftNoDifference(t *testing.T) {
	t.Parallel()
	f := cutOff(t, true, func(s *store.Store) int64 {
		put(t, s, "/d/short-lived", "1")
		rev := del(t, s, "/d/short-lived")
		put(t, s, "/elsewhere", "1") // the compacted revision must lie behind
		return rev
	})
	f.want(map[string]string{"/d/a": "1", "/d/b": "1", "/d/c": "1"})
}

func TestDeletedAndRecreatedKeyIsHandedOverAgain(t *testing.T) {
	t.Parallel()
	f := cutOff(t, true, func(s *store.Store) int64 {
		del(t, s, "/d/a")
		return put(t, s, "/d/a", "1")
	})
	last := f.seen[len(f.seen)-1]
	if !slices.ContainsFunc(last.Puts, func(kv store.KV) bool { return kv.Key == "/d/a" }) {
		t.Fatalf("last batch is %+v, want a put of /d/a, which is another object now", last)
	}
}

func TestWatchSurvivesRestartOfEtcd(t *testing.T) {
	t.Parallel()
	etcd := etcdtest.Start(t)
	s := open(t, etcd.Endpoint())
	put(t, s, "/d/a", "1")
	f := follow(t, s, "/d")
	f.until("first batch", func() bool { return len(f.seen) == 1 })
	etcd.Down()
	etcd.Up()
	f.untilRev(put(t, s, "/d/b", "1"))
	f.want(map[string]string{"/d/a": "1", "/d/b": "1"})
}

func TestWatchFollowsAClusterThatBeginsAgain(t *testing.T) {
	t.Parallel()
	etcd := etcdtest.Start(t)
	s := open(t, etcd.Endpoint())
	put(t, s, "/d/gone", "1")
	put(t, s, "/d/same", "1")
	for i := range 5 {
		put(t, s, "/d/a", fmt.Sprint(i))
	}
	f := follow(t, s, "/d")
	f.until("first batch", func() bool { return len(f.seen) == 1 })
	before := f.rev

	etcd.Wipe()
	etcd.Up()
	fresh := open(t, etcd.Endpoint())
	rev := put(t, fresh, "/d/a", "restored")
	if rev >= before {
		t.Fatalf("the new cluster is at %d, want less than %d", rev, before)
	}
	f.until("content of the new cluster", func() bool { return f.content["/d/a"] == "restored" })
	f.want(map[string]string{"/d/a": "restored"})
	if f.rev >= before {
		t.Errorf("revision is %d, want the new cluster's, below %d", f.rev, before)
	}
	f.untilRev(put(t, fresh, "/d/b", "1"))
	f.want(map[string]string{"/d/a": "restored", "/d/b": "1"})
}

func TestWatchFollowsAnotherClusterInThePlaceOfItsOwn(t *testing.T) {
	t.Parallel()
	etcd := etcdtest.Start(t)
	s := open(t, etcd.Endpoint())
	put(t, s, "/d/gone", "1")
	f := follow(t, s, "/d")
	f.untilRev(put(t, s, "/d/a", "1"))
	before := f.rev
	etcd.Replace()
	etcd.Up()
	fresh := open(t, etcd.Endpoint())
	put(t, fresh, "/d/b", "1")
	for rev := int64(0); rev <= before+5; { // it is further than the one before
		rev = put(t, fresh, "/elsewhere", "1")
	}
	f.until("content of the other cluster", func() bool { return f.content["/d/b"] == "1" })
	f.untilRev(put(t, fresh, "/d/c", "1"))
	f.want(map[string]string{"/d/b": "1", "/d/c": "1"})
	if r := s.Resyncs(); r.Replaced == 0 {
		t.Errorf("counted %+v, want that etcd was replaced", r)
	}
}

func TestWatchLeavesAFrozenLink(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes as long as a watch bears silence")
	}
	etcd := etcdtest.Start(t)
	used, other := etcdtest.NewLink(t, etcd.Addr()), etcdtest.NewLink(t, etcd.Addr())
	direct := open(t, etcd.Endpoint())
	put(t, direct, "/d/a", "1")
	other.Cut() // so that the watch begins on the one that freezes
	f := follow(t, open(t, used.Endpoint(), other.Endpoint()), "/d")
	f.until("first batch", func() bool { return len(f.seen) == 1 })
	f.untilRev(put(t, direct, "/d/a", "2"))
	other.Heal()
	used.Freeze()
	began := time.Now()
	f.untilRev(put(t, direct, "/d/a", "3"))
	// The pings of gRPC find the dead link too, but take 13 s.
	if took := time.Since(began); took > 12*time.Second {
		t.Errorf("took %s", took)
	}
	f.want(map[string]string{"/d/a": "3"})
}

func TestWatchBeginsOnceEtcdAppears(t *testing.T) {
	t.Parallel()
	etcd := etcdtest.Start(t)
	etcd.Down()
	s := open(t, etcd.Endpoint())
	f := follow(t, s, "/d")
	etcd.Up()
	f.until("first batch", func() bool { return len(f.seen) == 1 })
	f.want(map[string]string{})
}

// The revision up to which a directory is known grows though nobody touches it.
func TestFrontierGrowsWhileNothingIsChanged(t *testing.T) {
	s := open(t, etcdtest.Start(t).Endpoint())
	if got := s.Frontier("/d"); got != 0 {
		t.Errorf("without a watch: got %d", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	first := make(chan int64, 1)
	go func() {
		defer close(done)
		_ = s.Watch(ctx, "/d/", func(b store.Batch) { first <- b.Revision })
	}()
	began := <-first
	rev := put(t, s, "/elsewhere", "1")
	if rev <= began {
		t.Fatalf("revision %d after %d", rev, began)
	}
	for limit := time.Now().Add(20 * time.Second); s.Frontier("/d") < rev; <-time.After(time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatalf("at %d, want %d", s.Frontier("/d"), rev)
		}
	}
	cancel()
	<-done
	if got := s.Frontier("/d"); got != 0 {
		t.Errorf("after the watch: got %d", got)
	}
}
