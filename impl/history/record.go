package history

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/unilb/unilb/impl/store"
)

// A Store is a store whose commits leave an entry, if they change objects below Prefix
// and their context says who commits (see By). The entry is part of the transaction:
// there is no change without it, and none of it without a change.
type Store struct {
	*store.Store
	// Objects is the directory whose objects are recorded, such as /apisix.
	Objects string
	// Now is the clock of entries; nil is the system's.
	Now func() time.Time
}

// asking is who asks, and what objects they have read.
type asking struct {
	who Who

	mu   sync.Mutex
	seen map[string]store.KV // by key; the zero KV: it did not exist
}

type askingKey struct{}

// By returns a context in which commits of a Store are recorded as made by who.
func By(ctx context.Context, who Who) context.Context {
	return context.WithValue(ctx, askingKey{}, &asking{who: who, seen: map[string]store.KV{}})
}

// Get is that of the store. What is read in a context of By need not be read again to
// be recorded.
func (s *Store) Get(ctx context.Context, key string) (kv store.KV, ok bool, rev int64, err error) {
	kv, ok, rev, err = s.Store.Get(ctx, key)
	if a, asks := ctx.Value(askingKey{}).(*asking); asks && err == nil {
		a.mu.Lock()
		a.seen[key] = kv
		a.mu.Unlock()
	}
	return kv, ok, rev, err
}

// Saw notes an object that was read in another way than by Get, in a context of By: it
// need not be read again to be recorded. Without such a context it does nothing.
func Saw(ctx context.Context, kv store.KV) {
	if a, asks := ctx.Value(askingKey{}).(*asking); asks {
		a.mu.Lock()
		a.seen[kv.Key] = kv
		a.mu.Unlock()
	}
}

// Commit is that of the store, with an entry. A key that no condition holds at a
// revision is held at the one that the entry tells of, so it may be that a commit without
// conditions ends with a *store.ConflictError.
func (s *Store) Commit(ctx context.Context, conds []store.Cond, ops ...store.Op) (int64, error) {
	a, asks := ctx.Value(askingKey{}).(*asking)
	if !asks || !slices.ContainsFunc(ops, s.recorded) {
		return s.Store.Commit(ctx, conds, ops...)
	}
	now := time.Now
	if s.Now != nil {
		now = s.Now
	}
	e := Entry{Time: now().UTC(), Who: a.who}
	for _, op := range ops {
		if !s.recorded(op) {
			continue
		}
		if op.Dir {
			changes, held, err := s.emptied(ctx, op.Key)
			if err != nil {
				return 0, err
			}
			e.Changes = append(e.Changes, changes...)
			conds = append(conds[:len(conds):len(conds)], held...)
			continue
		}
		before, err := s.before(ctx, a, conds, op.Key)
		if err != nil {
			return 0, err
		}
		if !holds(conds, op.Key) {
			conds = append(conds[:len(conds):len(conds)], store.Cond{Key: op.Key, Mod: before.Mod})
		}
		c := Change{Key: op.Key, Prev: before.Mod, Before: before.Value, Deleted: op.Delete}
		if op.TTL > 0 {
			c.TTL, c.Put = int64(op.TTL/time.Second), op.Value
		}
		e.Changes = append(e.Changes, c)
	}
	value, err := e.encode()
	if err != nil {
		return 0, fmt.Errorf("record a change: %w", err)
	}
	return s.Store.Commit(ctx, conds, append(ops[:len(ops):len(ops)], store.Op{Key: newKey(e.Time), Value: value})...)
}

// recorded tells whether an op changes objects: not a counter, and not the name of
// a directory.
func (s *Store) recorded(op store.Op) bool {
	rest, ok := strings.CutPrefix(op.Key, s.Objects+"/")
	return ok && strings.Contains(rest, "/") && (op.Dir || !strings.HasSuffix(rest, "/"))
}

// emptied are the objects of a directory that is to be deleted, and the conditions under
// which it has no others.
func (s *Store) emptied(ctx context.Context, dir string) ([]Change, []store.Cond, error) {
	const most = 50 // that are held: etcd bounds conditions as it bounds operations
	kvs, rev, err := s.List(ctx, dir)
	if err != nil {
		return nil, nil, err
	}
	var changes []Change
	held := []store.Cond{{Key: dir, Mod: rev, Rule: store.Quiet}}
	for _, kv := range kvs {
		if !s.recorded(store.Op{Key: kv.Key}) {
			continue
		}
		changes = append(changes, Change{Key: kv.Key, Prev: kv.Mod, Before: kv.Value, Deleted: true})
		if len(held) <= most {
			held = append(held, store.Cond{Key: kv.Key, Mod: kv.Mod})
		}
	}
	return changes, held, nil
}

// before is the object that a commit replaces if its conditions hold.
func (s *Store) before(ctx context.Context, a *asking, conds []store.Cond, key string) (store.KV, error) {
	a.mu.Lock()
	kv, seen := a.seen[key]
	a.mu.Unlock()
	at, held := heldAt(conds, key)
	switch {
	case held && at == 0:
		return store.KV{}, nil // or the commit is refused
	case seen && (!held || at == kv.Mod):
		return kv, nil
	}
	kv, _, _, err := s.Store.Get(ctx, key)
	return kv, err
}

func holds(conds []store.Cond, key string) bool {
	_, ok := heldAt(conds, key)
	return ok
}

// heldAt is the revision at which a condition holds a key.
func heldAt(conds []store.Cond, key string) (mod int64, ok bool) {
	for _, c := range conds {
		if c.Key == key && c.Rule == store.ModIs {
			return c.Mod, true
		}
	}
	return 0, false
}
