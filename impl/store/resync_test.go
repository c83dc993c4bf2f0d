package store_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/unilb/unilb/impl/store"
	"github.com/unilb/unilb/impl/store/etcdtest"
)

// cutWhile follows /d over a link that is cut while change is made.
func cutWhile(t *testing.T, etcd *etcdtest.Server, change func(direct *store.Store)) (*follower, *store.Store, *store.Store) {
	t.Helper()
	link := etcdtest.NewLink(t, etcd.Addr())
	direct, watched := open(t, etcd.Endpoint()), open(t, link.Endpoint())
	for i := range 100 {
		put(t, direct, fmt.Sprintf("/d/%02d", i), "1")
	}
	f := follow(t, watched, "/d")
	f.untilRev(put(t, direct, "/d/00", "1"))
	f.untilRev(put(t, direct, "/d/00", "1")) // it watches, and not only lists
	f.seen = f.seen[:1]
	link.Cut()
	change(direct)
	link.Heal()
	return f, watched, direct
}

func TestResyncAfterCompactionHandsOverNothingThatDidNotChange(t *testing.T) {
	t.Parallel()
	etcd := etcdtest.Start(t)
	f, watched, direct := cutWhile(t, etcd, func(direct *store.Store) {
		put(t, direct, "/elsewhere", "1")
		rev := put(t, direct, "/elsewhere", "2")
		compactAt(t, etcd, rev)
	})
	f.untilRev(put(t, direct, "/d/00", "2"))
	objects := 0
	for _, b := range f.seen[1:] {
		objects += len(b.Puts) + len(b.Deletes)
	}
	if objects != 1 {
		t.Errorf("%d objects were handed over again, want the one that changed", objects)
	}
	if r := watched.Resyncs(); r.Compacted != 1 || r.Replaced != 0 || r.Objects > 1 {
		t.Errorf("counted %+v, want one resync because of a compaction", r)
	}
}

func TestWatchFollowsABackupThatWasPutInPlaceAndWrittenTo(t *testing.T) {
	t.Parallel()
	etcd := etcdtest.Start(t)
	before := open(t, etcd.Endpoint())
	put(t, before, "/d/gone-since", "1")
	put(t, before, "/d/kept", "1")
	backup := etcd.Backup()
	var lost, at int64
	f, watched, direct := cutWhile(t, etcd, func(direct *store.Store) {
		lost = put(t, direct, "/d/lost", "written after the watch was cut, before the backup came back")
		etcd.Restore(backup)
		etcd.Up()
		fresh := open(t, etcd.Endpoint())
		del(t, fresh, "/d/gone-since")
		for at <= lost+5 { // beyond what the watch has seen
			at = put(t, fresh, "/d/new", fmt.Sprint(at))
		}
	})
	f.until("content of the restored cluster", func() bool { return f.content["/d/new"] != "" && f.rev >= at })
	f.untilRev(put(t, direct, "/d/kept", "2"))
	f.want(map[string]string{"/d/kept": "2", "/d/new": f.content["/d/new"]})
	if r := watched.Resyncs(); r.Replaced == 0 {
		t.Errorf("counted %+v, want that etcd was replaced", r)
	}
}

func TestWatchFromHandsOverTheDifferenceOnly(t *testing.T) {
	t.Parallel()
	s := open(t, etcdtest.Start(t).Endpoint())
	for _, k := range []string{"same", "changes", "goes"} {
		put(t, s, "/d/"+k, "1")
	}
	known, _, err := s.List(t.Context(), "/d")
	if err != nil {
		t.Fatal(err)
	}
	put(t, s, "/d/changes", "2")
	put(t, s, "/d/new", "1")
	rev := del(t, s, "/d/goes")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var got []string
	_ = s.WatchFrom(ctx, "/d", known, func(b store.Batch) {
		got = append(got, fmt.Sprint(b.Reset, b.Revision == rev))
		for _, kv := range b.Puts {
			got = append(got, kv.Key)
		}
		got = append(append(got, "-"), b.Deletes...)
		cancel()
	})
	if want := "[false true /d/changes /d/new - /d/goes]"; fmt.Sprint(got) != want {
		t.Errorf("got %v, want %s", got, want)
	}
	if r := s.Resyncs(); r != (store.Resyncs{}) {
		t.Errorf("counted %+v: a first list is no resync", r)
	}
}
