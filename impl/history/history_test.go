package history

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/unilb/unilb/impl/store"
	"github.com/unilb/unilb/impl/store/etcdtest"
)

// lab is an etcd, and a store that records.
type lab struct {
	t    *testing.T
	etcd *etcdtest.Server
	st   *Store
}

func newLab(t *testing.T) *lab {
	t.Helper()
	etcd := etcdtest.Start(t)
	st, err := store.Open(store.Options{Endpoints: []string{etcd.Endpoint()}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	return &lab{t, etcd, &Store{Store: st, Objects: "/apisix"}}
}

// write puts objects, or deletes them where the value is "-", as jane.
func (l *lab) write(pairs ...string) int64 {
	l.t.Helper()
	return l.commit(By(l.t.Context(), Who{Author: "jane", Request: "r1", What: "PUT"}), pairs...)
}

// bypass does so by somebody who leaves no entry.
func (l *lab) bypass(pairs ...string) int64 { l.t.Helper(); return l.commit(l.t.Context(), pairs...) }

func (l *lab) commit(ctx context.Context, pairs ...string) int64 {
	l.t.Helper()
	var ops []store.Op
	for i := 0; i < len(pairs); i += 2 {
		ops = append(ops, store.Op{Key: "/apisix/" + pairs[i], Value: []byte(pairs[i+1]), Delete: pairs[i+1] == "-"})
	}
	rev, err := l.st.Commit(ctx, nil, ops...)
	if err != nil {
		l.t.Fatal(err)
	}
	return rev
}

func (l *lab) log() *Log {
	l.t.Helper()
	log, err := Load(l.t.Context(), l.st.Store, "/apisix")
	if err != nil || len(log.Damaged) > 0 {
		l.t.Fatalf("load: %v %v", err, log.Damaged)
	}
	return log
}

func (l *lab) compact(rev int64) {
	l.t.Helper()
	c, err := clientv3.New(clientv3.Config{Endpoints: []string{l.etcd.Endpoint()}})
	if err != nil {
		l.t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Compact(l.t.Context(), rev, clientv3.WithCompactPhysical()); err != nil {
		l.t.Fatal(err)
	}
}

func (l *lab) at(rev int64) *State {
	l.t.Helper()
	s, err := l.log().At(l.t.Context(), l.st.Store, "/apisix", rev)
	if err != nil {
		l.t.Fatal(err)
	}
	return s
}

func listed(objects map[string]Object) string {
	var out []string
	for _, key := range slices.Sorted(maps.Keys(objects)) {
		out = append(out, strings.TrimPrefix(key, "/apisix/")+"="+string(objects[key]))
	}
	return strings.Join(out, " ")
}

// objects are those that etcd has now.
func (l *lab) objects() string { l.t.Helper(); return listed(l.log().Now().Objects) }

func TestEntryIsPartOfTheTransaction(t *testing.T) {
	l := newLab(t)
	l.write("upstreams/u", `{"a":1}`)
	rev := l.write("upstreams/u", `{"a":2}`, "routes/r", `{"upstream_id":"u"}`)
	gone := l.write("routes/r", "-")
	log := l.log()
	if len(log.Entries) != 3 {
		t.Fatalf("%d entries, want 3", len(log.Entries))
	}
	e := log.Entries[1]
	if e.Revision != rev || e.Author != "jane" || e.Request != "r1" || e.What != "PUT" || time.Since(e.Time) > time.Minute {
		t.Errorf("got %+v, want jane's at revision %d", e, rev)
	}
	var got []string
	for _, c := range e.Changes {
		got = append(got, fmt.Sprintf("%s %d %s %s", c.Key, c.Prev, c.Before, c.After))
	}
	want := []string{fmt.Sprintf(`/apisix/upstreams/u %d {"a":1} {"a":2}`, log.Entries[0].Revision), `/apisix/routes/r 0  {"upstream_id":"u"}`}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if e := log.Entries[2]; e.Revision != gone || e.Changes[0].After != nil || string(e.Changes[0].Before) != `{"upstream_id":"u"}` {
		t.Errorf("deletion is %+v", e)
	}
	// A commit that is refused leaves none, nor what is no object, nor who is nobody.
	ctx := By(t.Context(), Who{Author: "jane"})
	_, err := l.st.Commit(ctx, []store.Cond{{Key: "/apisix/upstreams/u", Mod: 1}}, store.Op{Key: "/apisix/upstreams/u", Value: []byte("{}")})
	var conflict *store.ConflictError
	if !errors.As(err, &conflict) {
		t.Errorf("got %v, want a conflict", err)
	}
	l.write("gen_id", "1")
	l.write("routes/", "init_dir")
	l.bypass("routes/x", "{}")
	if n := len(l.log().Entries); n != 3 {
		t.Errorf("%d entries, want 3 still", n)
	}
}

func TestDirectoryThatIsDeletedIsRecordedObjectByObject(t *testing.T) {
	l := newLab(t)
	rev := l.write("consumers/jack", "{}", "consumers/jack/credentials/a", "1", "consumers/jack/credentials/b", "2", "consumers/jill/credentials/a", "3")
	was := l.objects()
	ctx := By(t.Context(), Who{Author: "jane"})
	_, err := l.st.Commit(ctx, nil, store.Op{Key: "/apisix/consumers/jack", Delete: true},
		store.Op{Key: "/apisix/consumers/jack/credentials/", Delete: true, Dir: true})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range l.log().Entries[1].Changes {
		got = append(got, fmt.Sprintf("%s %d %s %v", c.Key, c.Prev, c.Before, c.Deleted))
	}
	if want := fmt.Sprintf("[/apisix/consumers/jack %d {} true /apisix/consumers/jack/credentials/a %d 1 true /apisix/consumers/jack/credentials/b %d 2 true]", rev, rev, rev); fmt.Sprint(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	l.compact(l.log().Revision)
	l.rollback(rev)
	if got := l.objects(); got != was {
		t.Errorf("after a rollback got\n%s\nwant\n%s", got, was)
	}
}

func TestEntryTellsWhatWasReplacedThoughSomebodyElseWrote(t *testing.T) {
	l := newLab(t)
	l.write("routes/r", "1")
	ctx := By(t.Context(), Who{Author: "jane"})
	if _, _, _, err := l.st.Get(ctx, "/apisix/routes/r"); err != nil { // what is read here is old in a moment
		t.Fatal(err)
	}
	l.bypass("routes/r", "2")
	if _, err := l.st.Commit(ctx, nil, store.Op{Key: "/apisix/routes/r", Value: []byte("3")}); err == nil {
		t.Error("an entry was written that does not tell what was replaced")
	}
	kv, _, _, err := l.st.Get(ctx, "/apisix/routes/r")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.st.Commit(ctx, []store.Cond{{Key: kv.Key, Mod: kv.Mod}}, store.Op{Key: kv.Key, Value: []byte("3")}); err != nil {
		t.Fatal(err)
	}
	if c := l.log().Entries[1].Changes[0]; string(c.Before) != "2" || c.Prev != kv.Mod {
		t.Errorf("got %s at %d before, want 2 at %d", c.Before, c.Prev, kv.Mod)
	}
}

func TestStateOfAnyRevisionIsKnownAlsoAfterACompaction(t *testing.T) {
	l := newLab(t)
	type moment struct {
		rev  int64
		want string
	}
	var all []moment
	step := func(want string, pairs ...string) { all = append(all, moment{l.write(pairs...), want}) }
	step("routes/a=1", "routes/a", "1")
	step("routes/a=1 routes/b=1", "routes/b", "1")
	step("routes/a=2 routes/b=1", "routes/a", "2")
	step("routes/b=1", "routes/a", "-")
	step("routes/a=3 routes/b=2", "routes/a", "3", "routes/b", "2")
	for _, compacted := range []bool{false, true} {
		for _, m := range all {
			if s := l.at(m.rev); listed(s.Objects) != m.want || len(s.Unknown) > 0 {
				t.Errorf("revision %d, compacted %v: got %s and %v unknown, want %s", m.rev, compacted, listed(s.Objects), s.Unknown, m.want)
			}
		}
		if !compacted {
			l.compact(l.log().Revision)
		}
	}
}

func TestWhatWasWrittenWithoutAnEntryIsUnknownAfterACompaction(t *testing.T) {
	l := newLab(t)
	rev := l.write("routes/a", "1", "routes/b", "1", "routes/c", "1")
	l.write("routes/c", "2")
	l.bypass("routes/a", "2")
	l.write("routes/a", "3")
	l.bypass("routes/b", "2")
	if s := l.at(rev); listed(s.Objects) != "routes/a=1 routes/b=1 routes/c=1" {
		t.Errorf("from etcd: got %s", listed(s.Objects))
	}
	var known []bool
	for _, e := range l.log().Entries {
		for _, c := range e.Changes {
			known = append(known, c.AfterKnown)
		}
	}
	if want := []bool{false, false, true, true, true}; !slices.Equal(known, want) { // a, b and c, then c, then a
		t.Errorf("what was put is known: %v, want %v", known, want)
	}
	l.compact(l.log().Revision)
	s := l.at(rev)
	if got := fmt.Sprint(s.Unknown); got != "[/apisix/routes/a /apisix/routes/b]" || listed(s.Objects) != "routes/c=1" {
		t.Errorf("from entries: got %s and unknown %s", listed(s.Objects), got)
	}
}

func TestLogIsOfOneDirectory(t *testing.T) {
	l := newLab(t)
	other := &Store{Store: l.st.Store, Objects: "/nc2"}
	rev, err := other.Commit(By(t.Context(), Who{Author: "jane"}), nil, store.Op{Key: "/nc2/routes/r", Value: []byte("1")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Commit(By(t.Context(), Who{}), nil, store.Op{Key: "/nc2/routes/r", Value: []byte("3")}); err != nil {
		t.Fatal(err)
	}
	l.write("routes/r", "2")
	for dir, want := range map[string]string{"/apisix": "2", "/nc2": "13"} {
		log, err := Load(t.Context(), l.st.Store, dir)
		if err != nil || len(log.Entries) != len(want) || log.Entries[0].Changes[0].Key != dir+"/routes/r" || string(log.Entries[0].Changes[0].After) != want[:1] {
			t.Errorf("%s: got %+v, %v, want those about it alone", dir, log.Entries, err)
		}
	}
	l.compact(l.log().Revision)
	if s := l.at(rev); listed(s.Objects) != "" { // though no entry about it is that old
		t.Errorf("before the first entry of the directory: %s", listed(s.Objects))
	}
}

func TestWhatWasPutForATimeIsToldWhenItIsGone(t *testing.T) {
	l := newLab(t)
	put := func(value string) {
		t.Helper()
		_, err := l.st.Commit(By(t.Context(), Who{Author: "jane"}), nil, store.Op{Key: "/apisix/routes/t", Value: []byte(value), TTL: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
	}
	put("1")
	l.bypass("routes/t", "-") // as etcd does when the time is over
	put("2")
	put("3")
	l.bypass("routes/t", "-")
	l.write("routes/s", "1")
	l.bypass("routes/s", "-")
	l.write("routes/s", "2")
	l.write("routes/s", "-")
	var got []string
	for _, e := range l.log().Entries {
		c := e.Changes[0]
		got = append(got, fmt.Sprintf("%s %ds known=%v gone=%v", c.After, c.TTL, c.AfterKnown, c.Gone))
	}
	want := []string{"1 3600s known=true gone=true", "2 3600s known=true gone=false", "3 3600s known=true gone=true", " 0s known=false gone=true", "2 0s known=true gone=false", " 0s known=true gone=false"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestLargeObjectsArePackedAndTooLargeOnesAreNot(t *testing.T) {
	l := newLab(t)
	long := strings.Repeat(`{"uri":"/x"}`, 20000) // packs well
	noise := make([]byte, 700<<10)
	for i, x := 0, uint64(1); i < len(noise); i++ {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		noise[i] = byte(x)
	}
	l.write("routes/a", long)
	l.write("routes/a", "\xff\x00 no text")
	before := l.write("routes/b", string(noise))
	l.write("routes/b", "small")
	log := l.log()
	if e := log.Entries[1]; string(e.Changes[0].Before) != long || string(e.Changes[0].After) != "\xff\x00 no text" {
		t.Errorf("packed and unpacked: %d bytes, %q", len(e.Changes[0].Before), e.Changes[0].After)
	}
	if e := log.Entries[2]; e.Omitted || e.Changes[0].AfterKnown {
		t.Errorf("got %+v, want what was put to be unknown, which nobody keeps", e.Changes[0].AfterKnown)
	}
	if e := log.Entries[3]; !e.Omitted || e.Changes[0].Key != "/apisix/routes/b" || string(e.Changes[0].After) != "small" {
		t.Errorf("got %+v, want what was replaced left out", e.Who)
	}
	l.compact(log.Revision)
	if s := l.at(before); fmt.Sprint(s.Unknown) != "[/apisix/routes/b]" {
		t.Errorf("unknown are %v", s.Unknown)
	}
}

func TestOldestEntriesArePruned(t *testing.T) {
	l := newLab(t)
	for i := range 230 {
		l.write("routes/a", fmt.Sprint(i))
	}
	l.st.Now = func() time.Time { return time.Unix(0, 0) } // a replica whose clock is behind
	last := l.write("routes/a", "last")
	for want := range 2 {
		n, err := Prune(t.Context(), l.st.Store, 10)
		if err != nil || n != []int{221, 0}[want] {
			t.Errorf("pruned %d, %v", n, err)
		}
	}
	log := l.log()
	if n := len(log.Entries); n != 10 || log.Entries[9].Revision != last {
		t.Errorf("%d entries are left, the newest at %d, want 10 and %d", n, log.Entries[n-1].Revision, last)
	}
	l.compact(log.Revision)
	first := log.Entries[0].Revision
	if s := l.at(first - 1); listed(s.Objects) != "routes/a=220" {
		t.Errorf("before the oldest entry: %s", listed(s.Objects))
	}
	if _, err := log.At(t.Context(), l.st.Store, "/apisix", first-2); err == nil || !strings.Contains(err.Error(), fmt.Sprint(first)) {
		t.Errorf("further back: got %v, want where the history begins", err)
	}
}
