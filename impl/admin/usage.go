package admin

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/unilb/unilb/impl/store"
)

const (
	// usageKept is how long after its last use a usage is kept: clients delete many
	// objects in a row.
	usageKept = 5 * time.Minute
	// usageSteps is how many revisions a usage goes after before listing is cheaper.
	usageSteps = 20_000
)

// usage is who refers to what, as it was at a revision. It is read from etcd when the
// first object is deleted, followed from deletion to deletion, and dropped when there are
// none any more: it is a cache, which any replica can do without. 100 000 routes that
// refer to something take some 20 MB.
type usage struct {
	h *Handler

	mu sync.Mutex
	at int64 // 0: nothing is known
	// mentions are, by key, the objects that may refer to others.
	mentions map[string][]mention
	// users are, by key of what is referred to, the objects that do, each with the
	// places in the list of users of that kind, one bit a place.
	users map[string]map[string]uint32
	drop  *time.Timer
}

// A mention says that an object refers to another.
type mention struct {
	target string // key
	place  int    // in the list of users of the target's kind
}

// first returns the user of an object that the answer names: of the first kind in the
// list, the first by key; key is empty when nobody refers to it. That was so at revision
// at, which is the cluster's at some moment of the call.
func (u *usage) first(ctx context.Context, target string) (place int, key string, at int64, err error) {
	before := u.revision()
	_, _, now, err := u.h.st.Get(ctx, target)
	if err != nil {
		return 0, "", 0, err
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if err := u.follow(ctx, before, now); err != nil {
		u.forget()
		return 0, "", 0, err
	}
	u.keep()
	for {
		place, key := u.named(target)
		if key == "" {
			return 0, "", u.at, nil
		}
		// Not every way to follow tells what was deleted.
		kv, _, _, err := u.h.st.Get(ctx, key)
		if err != nil {
			return 0, "", 0, err
		}
		if u.take(key, kv.Value); u.users[target][key]>>place&1 == 1 {
			return place, key, u.at, nil
		}
	}
}

func (u *usage) revision() int64 {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.at
}

// named finds who the answer names among those that are known.
func (u *usage) named(target string) (place int, key string) {
	for user, places := range u.users[target] {
		if user == target {
			continue
		}
		for n := 0; places>>n != 0; n++ {
			if places>>n&1 == 1 && (key == "" || n < place || n == place && user < key) {
				place, key = n, user
			}
		}
	}
	return place, key
}

// few tells whether there are no more objects that may refer to others than n.
func (u *usage) few(n int) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return len(u.mentions) <= n
}

// follow brings the usage to revision now of the cluster, if it is not there; when now was
// asked for it was at revision before.
func (u *usage) follow(ctx context.Context, before, now int64) error {
	switch {
	case u.at == 0 || now < before || now-u.at > usageSteps: // before: etcd was restored
		return u.list(ctx)
	case u.at >= now: // another deletion did it
		return nil
	}
	err := u.step(ctx, now)
	if errors.Is(err, store.ErrCompacted) {
		return u.list(ctx)
	}
	return err
}

// step looks for what has changed. To ask for it costs etcd a look at every object; to be
// told takes it a tenth of a second, but no work.
func (u *usage) step(ctx context.Context, now int64) error {
	if len(u.mentions) > watchedUsers {
		err := u.h.st.Since(ctx, u.at, now, func(kv store.KV) { u.take(kv.Key, kv.Value) })
		if err == nil {
			u.at = now
		}
		return err
	}
	dirs := make([]string, len(usersDirs()))
	for i, dir := range usersDirs() {
		dirs[i] = u.h.dir(dir)
	}
	kvs, rev, err := u.h.st.Changed(ctx, u.at, dirs...)
	if err != nil {
		return err
	}
	for _, kv := range kvs {
		u.take(kv.Key, kv.Value)
	}
	u.at = rev
	return nil
}

func (u *usage) list(ctx context.Context) error {
	u.forget()
	u.mentions, u.users = map[string][]mention{}, map[string]map[string]uint32{}
	rev := int64(0)
	for _, dir := range usersDirs() {
		var err error
		rev, err = u.h.each(ctx, u.h.dir(dir), rev, func(kv store.KV) error {
			u.take(kv.Key, kv.Value)
			return nil
		})
		if err != nil {
			return err
		}
	}
	u.at = rev
	return nil
}

// take notes what an object mentions now; a nil value: it is gone.
func (u *usage) take(key string, value []byte) {
	rest, ok := strings.CutPrefix(key, u.h.prefix+"/")
	dir, _, _ := strings.Cut(rest, "/")
	if !ok || !slices.Contains(usersDirs(), dir) {
		return
	}
	for _, m := range u.mentions[key] {
		of := u.users[m.target] // nil when the object mentions it at two places, and was the only one
		if delete(of, key); len(of) == 0 {
			delete(u.users, m.target)
		}
	}
	tree, isObj := isObject(value)
	if !isObj {
		delete(u.mentions, key)
		return
	}
	list := u.h.mentions(dir, tree)
	u.mentions[key] = list
	for _, m := range list {
		of := u.users[m.target]
		if of == nil {
			of = map[string]uint32{}
			u.users[m.target] = of
		}
		of[key] |= 1 << m.place
	}
}

// keep puts off the time when the usage is dropped.
func (u *usage) keep() {
	if u.drop != nil {
		u.drop.Reset(usageKept)
		return
	}
	u.drop = time.AfterFunc(usageKept, func() {
		u.mu.Lock()
		defer u.mu.Unlock()
		u.forget()
	})
}

func (u *usage) forget() { u.at, u.mentions, u.users = 0, nil, nil }

// mentions are the references in an object of a directory that are looked for when
// something is deleted.
func (h *Handler) mentions(dir string, tree map[string]any) []mention {
	var out []mention
	for _, res := range resources {
		for n, u := range res.users {
			if u.dir != dir {
				continue
			}
			for _, id := range u.ids(tree) {
				if m := (mention{h.dir(res.dir) + id, n}); !slices.Contains(out, m) {
					out = append(out, m)
				}
			}
		}
	}
	return out
}

// usersDirs are the directories of objects that may refer to others, in order.
var usersDirs = sync.OnceValue(func() []string {
	dirs := map[string]bool{}
	for _, res := range resources {
		for _, u := range res.users {
			dirs[u.dir] = true
		}
	}
	return slices.Sorted(maps.Keys(dirs))
})
