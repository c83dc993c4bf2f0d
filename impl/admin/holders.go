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
// tells. What was deleted stays until it is as much as there was at the beginning; then
// all is read anew.
type memory[K comparable] struct {
	mu    sync.Mutex
	seen  int64                 // the revision up to which all is in it; 0: nothing yet
	in    map[K]map[string]bool // to the keys of the objects
	had   map[string][]K        // by the keys of the objects
	first int                   // how many had something when all was read
}

// roomForGone is how many deleted objects may be remembered however few there were.
const roomForGone = 10_000

// forget drops what an object had.
func (m *memory[K]) forget(key string) {
	for _, k := range m.had[key] {
		if delete(m.in[k], key); len(m.in[k]) == 0 {
			delete(m.in, k)
		}
	}
	delete(m.had, key)
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
		m.forget(key)
		if ok {
			x.note(kv)
		}
	}
	return nil
}

// catchUp notes what was written since it was called last.
func (x *holders[K]) catchUp(ctx context.Context) error {
	m := x.remembers
	if m.seen > 0 && len(m.had) <= 2*m.first+roomForGone {
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
	m.in, m.had, m.seen = map[K]map[string]bool{}, map[string][]K{}, 0
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
	m.seen, m.first = seen, len(m.had)
	return nil
}

// note remembers what an object has now.
func (x *holders[K]) note(kv store.KV) {
	m := x.remembers
	m.forget(kv.Key)
	has := x.of(kv)
	if len(has) == 0 {
		return
	}
	m.had[kv.Key] = has
	for _, k := range has {
		if m.in[k] == nil {
			m.in[k] = map[string]bool{}
		}
		m.in[k][kv.Key] = true
	}
}
