package node

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/unilb/unilb/impl/store"
)

// memory is a registry in memory, in which a test can see every write and when
// it came.
type memory struct {
	mu       sync.Mutex
	kvs      map[string]store.KV
	rev      int64
	down     bool
	writes   []write
	lists    int
	frontier int64
	changed  chan struct{}
}

type write struct {
	key   string
	value []byte
	at    time.Time
}

func newMemory() *memory {
	return &memory{kvs: map[string]store.KV{}, changed: make(chan struct{})}
}

func (m *memory) Get(_ context.Context, key string) (store.KV, bool, int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.down {
		return store.KV{}, false, 0, &store.UnavailableError{Op: "get", Err: errors.New("down")}
	}
	kv, ok := m.kvs[key]
	return kv, ok, m.rev, nil
}

func (m *memory) List(_ context.Context, prefix string) (kvs []store.KV, rev int64, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.lists++
	for key, kv := range m.kvs {
		if strings.HasPrefix(key, prefix+"/") {
			kvs = append(kvs, kv)
		}
	}
	return kvs, m.rev, nil
}

func (m *memory) Reach() store.Reach {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.down {
		return store.Reach{LastError: "down"}
	}
	return store.Reach{Reachable: true}
}

func (m *memory) Frontier(string) int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.frontier
}

func (m *memory) Commit(_ context.Context, conds []store.Cond, ops ...store.Op) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.down {
		return 0, &store.UnavailableError{Op: "commit", Err: errors.New("down")}
	}
	for _, c := range conds {
		if mod := m.kvs[c.Key].Mod; mod != c.Mod {
			return 0, &store.ConflictError{Key: c.Key, Mod: mod}
		}
	}
	m.rev++
	for _, o := range ops {
		if o.Delete {
			delete(m.kvs, o.Key)
		} else {
			m.kvs[o.Key] = store.KV{Key: o.Key, Value: o.Value, Mod: m.rev}
		}
		m.writes = append(m.writes, write{o.Key, o.Value, time.Now()})
	}
	close(m.changed)
	m.changed = make(chan struct{})
	return m.rev, nil
}

// Watch hands over everything after each change, as differences.
func (m *memory) Watch(ctx context.Context, prefix string, apply func(store.Batch)) error {
	known := map[string]int64{}
	for first := true; ; first = false {
		m.mu.Lock()
		b := store.Batch{Prefix: prefix, Revision: m.rev, Reset: first}
		for k, kv := range m.kvs {
			if strings.HasPrefix(k, prefix+"/") && known[k] != kv.Mod {
				known[k] = kv.Mod
				b.Puts = append(b.Puts, kv)
			}
		}
		for k := range known {
			if _, ok := m.kvs[k]; !ok {
				delete(known, k)
				b.Deletes = append(b.Deletes, k)
			}
		}
		changed := m.changed
		m.mu.Unlock()
		apply(b)
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (m *memory) setDown(down bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.down = down
}

// to returns the writes to key so far.
func (m *memory) to(key string) []write {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []write
	for _, w := range m.writes {
		if w.key == key {
			out = append(out, w)
		}
	}
	return out
}

func (m *memory) lastReport(t *testing.T, key string) Report {
	t.Helper()
	ws := m.to(key)
	if len(ws) == 0 {
		t.Fatal("no report was written")
	}
	r, err := ParseReport(ws[len(ws)-1].value)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func object(t *testing.T, b []byte) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	return m
}
