package store_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"github.com/unilb/unilb/impl/store"
	"github.com/unilb/unilb/impl/store/etcdtest"
)

// TestWatchConvergesWhateverHappens makes random edits and random faults, heals them all,
// and compares what a consumer has with what etcd has. UNILB_SEED repeats a run.
func TestWatchConvergesWhateverHappens(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	if text := os.Getenv("UNILB_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("UNILB_SEED=%d", seed)
	w := newWorld(t, rand.New(rand.NewPCG(seed, 0)))
	const rounds, steps = 6, 12
	for round := range rounds {
		for range steps {
			w.step()
		}
		w.link.Heal()
		w.agree(fmt.Sprintf("round %d of UNILB_SEED=%d: %v", round, seed, w.story))
	}
}

// world is an etcd that things happen to, and a consumer behind a link.
type world struct {
	t     *testing.T
	rand  *rand.Rand
	etcd  *etcdtest.Server
	link  *etcdtest.Link
	st    *store.Store // not over the link
	f, e  *follower    // of two directories, over one stream
	saved string       // a backup; "": there is none
	story []string
}

func newWorld(t *testing.T, r *rand.Rand) *world {
	t.Helper()
	etcd := etcdtest.Start(t)
	link := etcdtest.NewLink(t, etcd.Addr())
	w := &world{t: t, rand: r, etcd: etcd, link: link, st: open(t, etcd.Endpoint())}
	behind := open(t, link.Endpoint())
	w.f, w.e = follow(t, behind, "/d"), follow(t, behind, "/e")
	return w
}

func (w *world) tell(format string, args ...any) {
	w.story = append(w.story, fmt.Sprintf(format, args...))
}

// step does something: mostly an edit.
func (w *world) step() {
	w.t.Helper()
	switch n := w.rand.IntN(20); n {
	case 0:
		w.tell("cut")
		w.link.Cut()
	case 1, 2:
		w.tell("heal")
		w.link.Heal()
	case 3:
		rev := put(w.t, w.st, "/elsewhere", "1")
		w.tell("compact %d", rev)
		compactAt(w.t, w.etcd, rev)
	case 4:
		w.tell("restart")
		w.etcd.Down()
		w.up()
	case 5:
		w.tell("backup")
		w.saved = w.etcd.Backup()
		w.up()
	case 6:
		w.restore()
	case 7:
		if w.rand.IntN(3) == 0 {
			w.tell("another cluster")
			w.etcd.Replace()
			w.up()
			w.saved = "" // of another life
		}
	case 8, 9:
		var ops []store.Op
		for i := range 1 + w.rand.IntN(5) {
			ops = append(ops, store.Op{Key: fmt.Sprintf("/d/t%d", i), Value: []byte(fmt.Sprint(w.rand.IntN(3)))})
		}
		w.tell("transaction of %d at %d", len(ops), commit(w.t, w.st, ops...))
	case 10, 11, 12:
		key := w.key()
		w.tell("delete %s at %d", key, del(w.t, w.st, key))
	default:
		key, value := w.key(), fmt.Sprint(w.rand.IntN(3))
		w.tell("%s=%s at %d", key, value, put(w.t, w.st, key, value))
	}
}

// up starts etcd, if it does not run, and has edits go over a connection that knows of
// nothing before.
func (w *world) up() {
	w.etcd.Up()
	w.st = open(w.t, w.etcd.Endpoint())
}

func (w *world) key() string { return fmt.Sprintf("/%c/%d", "dde"[w.rand.IntN(3)], w.rand.IntN(8)) }

// restore puts the backup in place, as an operator should: with revisions that nobody
// has seen, of which the earlier ones are compacted.
func (w *world) restore() {
	if w.saved == "" {
		return
	}
	before := put(w.t, w.st, "/elsewhere", "1")
	w.etcd.Restore(w.saved)
	w.up()
	rev := int64(0)
	for rev <= before+10 {
		rev = put(w.t, w.st, "/elsewhere", "2")
	}
	compactAt(w.t, w.etcd, rev)
	w.tell("restore, raised from %d to %d", before, rev)
}

// agree waits until the consumer has what etcd has.
func (w *world) agree(when string) {
	w.t.Helper()
	commit(w.t, w.st, store.Op{Key: "/d/round", Value: []byte(when)}, store.Op{Key: "/e/round", Value: []byte(when)})
	for dir, f := range map[string]*follower{"/d": w.f, "/e": w.e} {
		kvs, _, err := w.st.List(w.t.Context(), dir)
		if err != nil {
			w.t.Fatal(err)
		}
		want := map[string]string{}
		for _, kv := range kvs {
			want[kv.Key] = string(kv.Value)
		}
		f.until("what etcd has, "+when, func() bool { return f.content[dir+"/round"] == when })
		f.want(want)
	}
}
