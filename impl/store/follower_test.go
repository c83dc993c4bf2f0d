package store_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/store"
	"github.com/unilb/unilb/impl/store/etcdtest"
)

// taken is what a Follower told.
type taken struct {
	t  *testing.T
	mu sync.Mutex
	// content is what is there, times how often a key was told.
	content map[string]string
	times   map[string]int
}

func newTaken(t *testing.T) *taken {
	return &taken{t: t, content: map[string]string{}, times: map[string]int{}}
}

func (k *taken) take(kv store.KV) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.times[kv.Key]++
	k.content[kv.Key] = string(kv.Value)
	if kv.Create == 0 {
		delete(k.content, kv.Key)
	}
}

// at waits for a revision and compares what is there then.
func (k *taken) at(f *store.Follower, rev int64, want map[string]string) {
	k.t.Helper()
	ctx, cancel := context.WithTimeout(k.t.Context(), patience)
	defer cancel()
	at, err := f.Reach(ctx, rev)
	for away := (*store.UnavailableError)(nil); errors.As(err, &away) && ctx.Err() == nil; { // the link was only just healed
		at, err = f.Reach(ctx, rev)
	}
	if err != nil || at < rev {
		k.t.Fatalf("got revision %d, %v, want at least %d", at, err, rev)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if !maps.Equal(k.content, want) {
		k.t.Errorf("at revision %d got %v, want %v", rev, k.content, want)
	}
	if got := f.Len(); got != len(want) {
		k.t.Errorf("at revision %d got %d keys, want %d", rev, got, len(want))
	}
}

func TestFollowerTellsWhatIsThereAndWhatBecomesOfIt(t *testing.T) {
	t.Parallel()
	s := open(t, etcdtest.Start(t).Endpoint())
	want := map[string]string{}
	for i := range 7 { // two pages of what is there
		var ops []store.Op
		for j := range 100 {
			key := fmt.Sprintf("/d/%d-%d", i, j)
			ops, want[key] = append(ops, store.Op{Key: key, Value: []byte("1")}), "1"
		}
		commit(t, s, ops...)
	}
	put(t, s, "/d2", "not in it")
	k := newTaken(t)
	f := s.Follow("/d", k.take)
	defer f.Stop()
	k.at(f, put(t, s, "/d2", "nor this, which moves the cluster on"), want)
	rev := put(t, s, "/d/0-0", "2")
	want["/d/0-0"] = "2"
	k.at(f, rev, want)
	rev = commit(t, s, store.Op{Key: "/d/0-0", Delete: true}, store.Op{Key: "/d/0-1", Value: []byte("3")}, store.Op{Key: "/d/6-1", Delete: true})
	delete(want, "/d/0-0")
	delete(want, "/d/6-1")
	want["/d/0-1"] = "3"
	k.at(f, rev, want)
	began := time.Now()
	for range 5 { // no event tells; a member that is not asked says so once a second
		k.at(f, put(t, s, "/elsewhere", "x"), want)
	}
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("five revisions of other directories took %s: the member was not asked", took)
	}
	if n := k.times["/d/5-5"]; n != 1 {
		t.Errorf("a key that nobody changed was told %d times, want once", n)
	}
}

func TestFollowerRidesOutAnEtcdThatIsAway(t *testing.T) {
	t.Parallel()
	etcd := etcdtest.Start(t)
	link := etcdtest.NewLink(t, etcd.Addr())
	s, direct := open(t, link.Endpoint()), open(t, etcd.Endpoint())
	k := newTaken(t)
	put(t, s, "/d/0", "1")
	f := s.Follow("/d", k.take)
	defer f.Stop()
	k.at(f, put(t, s, "/d/1", "1"), map[string]string{"/d/0": "1", "/d/1": "1"})
	link.Cut()
	rev := put(t, direct, "/d/2", "1")
	var away *store.UnavailableError
	if _, err := f.Reach(t.Context(), rev); !errors.As(err, &away) {
		t.Errorf("while etcd is away got %v, want an UnavailableError", err)
	}
	link.Heal()
	k.at(f, put(t, direct, "/d/3", "1"), map[string]string{"/d/0": "1", "/d/1": "1", "/d/2": "1", "/d/3": "1"})
	if k.times["/d/0"] != 1 {
		t.Error("the directory was read again")
	}
}

func TestFollowerEndsWhenTheDirectoryWouldHaveToBeReadAgain(t *testing.T) {
	t.Parallel()
	another := store.Op{Key: "/d/1", Value: []byte("1")}
	beyond := func(t *testing.T, etcd *etcdtest.Server, backup string) {
		etcd.Restore(backup)
		etcd.Up()
		direct := open(t, etcd.Endpoint())
		for range 5 {
			put(t, direct, "/elsewhere", "1")
		}
	}
	// What is told last is lost then. What happens is not seen: the link is cut.
	for name, of := range map[string]struct {
		last    []store.Op
		want    map[string]string
		happens func(t *testing.T, etcd *etcdtest.Server, backup string)
	}{
		"compacted": {[]store.Op{another}, map[string]string{"/d/0": "1", "/d/1": "1"}, func(t *testing.T, etcd *etcdtest.Server, _ string) {
			compactAt(t, etcd, put(t, open(t, etcd.Endpoint()), "/d/2", "1"))
		}},
		"restored from a backup": {[]store.Op{another}, map[string]string{"/d/0": "1", "/d/1": "1"}, func(_ *testing.T, etcd *etcdtest.Server, backup string) {
			etcd.Restore(backup)
			etcd.Up()
		}},
		"restored and written to beyond what was told":      {[]store.Op{another}, map[string]string{"/d/0": "1", "/d/1": "1"}, beyond},
		"restored and written to beyond what was deleted":   {[]store.Op{{Key: "/d/0", Delete: true}}, map[string]string{}, beyond},
		"restored, with as many keys as after the deletion": {[]store.Op{another, {Key: "/d/0", Delete: true}}, map[string]string{"/d/1": "1"}, beyond},
		"restored to before what was deleted was written":   {[]store.Op{another, {Key: "/d/2", Value: []byte("1")}, {Key: "/d/2", Delete: true}}, map[string]string{"/d/0": "1", "/d/1": "1"}, beyond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			etcd := etcdtest.Start(t)
			link := etcdtest.NewLink(t, etcd.Addr())
			s := open(t, link.Endpoint())
			put(t, s, "/d/0", "1")
			backup := etcd.Backup()
			k := newTaken(t)
			f := s.Follow("/d", k.take)
			defer f.Stop()
			var rev int64
			for _, op := range of.last {
				rev = commit(t, s, op)
			}
			k.at(f, rev, of.want)
			link.Cut()
			of.happens(t, etcd, backup)
			link.Heal()
			ended(t, f, rev)
		})
	}
}

func TestFollowerEndsWithItsStore(t *testing.T) {
	t.Parallel()
	etcd := etcdtest.Start(t)
	s := open(t, etcd.Endpoint())
	stopped, closed := s.Follow("/d", newTaken(t).take), s.Follow("/d", newTaken(t).take)
	stopped.Stop()
	ended(t, stopped, 1)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	ended(t, closed, 1)
}

// ended waits until a follower has ended.
func ended(t *testing.T, f *store.Follower, rev int64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		_, err := f.Reach(ctx, rev+100)
		if errors.Is(err, store.ErrEnded) {
			return
		}
		if ctx.Err() != nil {
			t.Fatalf("got %v, want that it has ended", err)
		}
	}
}
