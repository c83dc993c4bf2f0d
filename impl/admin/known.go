package admin

import (
	"cmp"
	"context"
	"errors"
	"hash/maphash"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/btree"

	"github.com/unilb/unilb/impl/store"
)

// knownFor is how long after it was last asked for what is known is kept: clients write
// and delete many objects in a row.
const knownFor = 5 * time.Minute

// knowledge is what this replica remembers of objects, so that who asks which of them say
// something need not have etcd look at all. It is a cache, which any replica can do
// without: a directory is read when it is asked for first and followed from then on, and
// all is forgotten when nobody has asked for some time.
type knowledge struct {
	h *Handler

	mu   sync.Mutex
	now  *known // nil: nothing is known
	drop *time.Timer
}

// known is who says what. It is never taken back: what cannot be followed any further
// (see store.Follower) is given up and another one begun, so who holds one has at least
// all that it held when it was asked for. Facts are hashes, by a seed of their own:
// nobody finds secrets here, and who is found must be looked at.
type known struct {
	h    *Handler
	seed maphash.Seed

	mu   sync.Mutex
	over bool // it is given up
	said *btree.BTreeG[saying]
	dirs map[string]*knownDir
}

// A saying is that an object says something. Those about the same are in order of what
// is said of it, so that who says otherwise is found at once however many agree.
type saying struct {
	hashed
	key string // of the object
}

// hashed is a fact.
type hashed struct {
	about uint64
	as    uint64 // 0: nothing that all must say alike, else less than 1<<63
}

// knownDir is a directory that is followed.
type knownDir struct {
	*store.Follower
	facts map[string][]hashed // of the objects that say something, by key
}

// at is what is known of directories as they were at revision rev, which the cluster must
// have reached, or later; upTo is that revision.
func (n *knowledge) at(ctx context.Context, rev int64, dirs ...string) (k *known, upTo int64, err error) {
	for tries := 0; ; tries++ {
		k = n.current()
		upTo, err = k.reach(ctx, rev, dirs)
		if !errors.Is(err, store.ErrEnded) || tries > 0 {
			return k, upTo, err
		}
		n.forget(k)
	}
}

// current is what is to be asked now.
func (n *knowledge) current() *known {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.now == nil {
		k := &known{h: n.h, seed: maphash.MakeSeed(), said: btree.NewG(32, saying.less), dirs: map[string]*knownDir{}}
		n.now, n.drop = k, time.AfterFunc(knownFor, func() { n.forget(k) })
	}
	n.drop.Reset(knownFor)
	return n.now
}

// forget gives up what is known.
func (n *knowledge) forget(k *known) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.now == k {
		n.drop.Stop()
		n.now = nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.over = true
	for _, d := range k.dirs {
		d.Stop()
	}
}

// reach follows directories until all that was written up to a revision is known.
func (k *known) reach(ctx context.Context, rev int64, dirs []string) (upTo int64, err error) {
	followed, err := k.follow(dirs)
	if err != nil {
		return 0, err
	}
	return store.ReachAll(ctx, rev, followed...)
}

// follow begins to follow directories that are not followed yet.
func (k *known) follow(dirs []string) ([]*store.Follower, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.over {
		return nil, store.ErrEnded
	}
	out := make([]*store.Follower, len(dirs))
	for i, name := range dirs {
		d := k.dirs[name]
		if d == nil {
			d = &knownDir{facts: map[string][]hashed{}}
			d.Follower = k.h.st.Follow(k.h.dir(name), func(kv store.KV) { k.take(d, kv) })
			k.dirs[name] = d
		}
		out[i] = d.Follower
	}
	return out, nil
}

// take notes what an object says now.
func (k *known) take(d *knownDir, kv store.KV) {
	var says []hashed
	for _, f := range k.h.factsOf(kv.Key, kv.Value) {
		says = append(says, k.hash(f))
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	was := d.facts[kv.Key]
	if slices.Equal(was, says) {
		return
	}
	for _, f := range was {
		k.said.Delete(saying{f, kv.Key})
	}
	for _, f := range says {
		k.said.ReplaceOrInsert(saying{f, kv.Key})
	}
	if len(says) == 0 {
		delete(d.facts, kv.Key)
		return
	}
	d.facts[kv.Key] = says
}

// next is the first saying of an object from one on, about the same and not as unlike, if
// that is not 0; ok is false when there is none. Whether the object says so it tells itself.
func (k *known) next(from saying, unlike uint64) (found saying, ok bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for {
		ok = false
		k.said.AscendGreaterOrEqual(from, func(s saying) bool {
			found, ok = s, s.about == from.about
			return false
		})
		if !ok || unlike == 0 || found.as != unlike {
			return found, ok
		}
		from = saying{hashed: hashed{from.about, unlike + 1}} // past all who agree
	}
}

// after is where those after s begin.
func (s saying) after() saying {
	s.key += "\x00"
	return s
}

// few tells whether there are no more objects in directories than n.
func (k *known) few(n int, dirs []string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, name := range dirs {
		n -= k.dirs[name].Len()
	}
	return n >= 0
}

func (k *known) hash(f fact) hashed {
	h := hashed{about: maphash.Comparable(k.seed, f.about())}
	if f.as != "" {
		h.as = maphash.String(k.seed, f.as)>>1 | 1
	}
	return h
}

func (s saying) less(other saying) bool {
	return cmp.Or(cmp.Compare(s.about, other.about), cmp.Compare(s.as, other.as), strings.Compare(s.key, other.key)) < 0
}

// anyone returns the first object that is not the one with the key but and says something
// against a fact; ok is false when nobody does. k must know of it.
func (h *Handler) anyone(ctx context.Context, k *known, but string, f fact) (kv store.KV, ok bool, err error) {
	what := k.hash(f)
	for s, more := k.next(saying{hashed: hashed{about: what.about}}, what.as); more; s, more = k.next(s.after(), what.as) {
		if s.key == but {
			continue
		}
		kv, exists, _, err := h.st.Get(ctx, s.key)
		if err != nil {
			return store.KV{}, false, err
		}
		if exists && slices.ContainsFunc(h.factsOf(s.key, kv.Value), f.against) {
			return kv, true, nil
		}
	}
	return store.KV{}, false, nil
}
