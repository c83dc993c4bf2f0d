package admin

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/unilb/unilb/impl/store"
)

// memory remembers which objects had what, so that a write need not read all of them. It
// only says where to look: what it remembers may be gone, which the object itself then
// tells. It is bounded by what etcd holds.
type memory[K comparable] struct {
	mu   sync.Mutex
	seen int64                 // the revision up to which all is in it; 0: nothing yet
	in   map[K]map[string]bool // to the keys of the objects
}

// holders finds the objects in some directories that have something.
type holders[K comparable] struct {
	remembers *memory[K]
	h         *Handler
	dirs      []string
	of        func(store.KV) []K // what an object has, as etcd has it
}

// each calls f for every object that has k, in the order of their keys, until f says
// that it is enough.
func (x *holders[K]) each(ctx context.Context, k K, f func(store.KV) (more bool)) error {
	m := x.remembers
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := x.catchUp(ctx); err != nil {
		return err
	}
	for _, key := range slices.Sorted(maps.Keys(m.in[k])) {
		kv, ok, _, err := x.h.st.Get(ctx, key)
		if err != nil {
			return err
		}
		if ok && slices.Contains(x.of(kv), k) {
			if !f(kv) {
				return nil
			}
			continue
		}
		delete(m.in[k], key)
		if len(m.in[k]) == 0 {
			delete(m.in, k)
		}
	}
	return nil
}

// catchUp notes what was written since it was called last.
func (x *holders[K]) catchUp(ctx context.Context) error {
	m := x.remembers
	if m.seen > 0 {
		kvs, rev, err := x.h.st.Changed(ctx, m.seen, x.dirs...)
		if err != nil {
			return err
		}
		if rev >= m.seen { // else etcd was restored from a backup
			for _, kv := range kvs {
				x.note(kv)
			}
			m.seen = rev
			return nil
		}
	}
	m.in, m.seen = map[K]map[string]bool{}, 0
	seen := int64(0)
	for _, dir := range x.dirs {
		rev, err := x.h.each(ctx, dir, 0, func(kv store.KV) error { x.note(kv); return nil })
		if err != nil {
			return err
		}
		if seen == 0 || rev < seen {
			seen = rev
		}
	}
	m.seen = seen
	return nil
}

func (x *holders[K]) note(kv store.KV) {
	for _, k := range x.of(kv) {
		keys := x.remembers.in[k]
		if keys == nil {
			keys = map[string]bool{}
			x.remembers.in[k] = keys
		}
		keys[kv.Key] = true
	}
}
