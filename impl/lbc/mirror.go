package lbc

import (
	"sync"

	"github.com/unilb/unilb/impl/store"
)

// A mirror is a copy of a directory of etcd in memory, kept by a watch. Keys
// are grouped by bucket, so that what belongs together is found without a scan.
// It knows our own writes at once, before the watch tells them. What it holds
// may be old, never wrong: each value comes with its modification revision,
// and a write that builds on it is conditional on that.
type mirror struct {
	bucket func(key string) string // "" leaves the key out
	// notify is told the buckets that a batch changed, outside the lock.
	notify func(buckets []string)

	mu      sync.Mutex
	buckets map[string]map[string]cell
	loaded  bool
	rev     int64         // of the last batch
	changed chan struct{} // closed and replaced at each batch
}

// A cell is one key. A cell that is gone remembers a deletion of our own until
// the watch has passed it.
type cell struct {
	value []byte
	mod   int64
	gone  bool
}

func newMirror(bucket func(string) string, notify func([]string)) *mirror {
	if bucket == nil {
		bucket = func(string) string { return "*" }
	}
	return &mirror{bucket: bucket, notify: notify, buckets: make(map[string]map[string]cell), changed: make(chan struct{})}
}

// apply takes over a batch of the watch.
func (m *mirror) apply(b store.Batch) {
	touched := make(map[string]bool)
	m.mu.Lock()
	// When etcd was restored from a backup its history went back, and what we
	// know of later revisions never happened.
	restored := b.Revision < m.rev
	m.rev = b.Revision
	if b.Reset {
		for name, bucket := range m.buckets {
			for key, c := range bucket {
				if c.mod <= b.Revision || restored {
					delete(bucket, key)
				}
			}
			touched[name] = true
		}
	}
	for _, kv := range b.Puts {
		name := m.bucket(kv.Key)
		if name == "" {
			continue
		}
		if restored {
			delete(m.buckets[name], kv.Key)
		}
		if m.setLocked(name, kv.Key, cell{value: kv.Value, mod: kv.Mod}) {
			touched[name] = true
		}
	}
	for _, key := range b.Deletes {
		name := m.bucket(key)
		if c, ok := m.buckets[name][key]; ok && (c.mod <= b.Revision || restored) {
			delete(m.buckets[name], key)
			touched[name] = true
		}
	}
	m.loaded = true
	close(m.changed)
	m.changed = make(chan struct{})
	m.mu.Unlock()
	if m.notify != nil && len(touched) > 0 {
		names := make([]string, 0, len(touched))
		for name := range touched {
			names = append(names, name)
		}
		m.notify(names)
	}
}

// setLocked replaces a cell unless a newer one is known.
func (m *mirror) setLocked(name, key string, c cell) bool {
	if old, ok := m.buckets[name][key]; ok && old.mod >= c.mod {
		return false
	}
	if m.buckets[name] == nil {
		m.buckets[name] = make(map[string]cell)
	}
	m.buckets[name][key] = c
	return true
}

// wrote notes a write of our own at revision rev; a nil value is a deletion.
func (m *mirror) wrote(key string, value []byte, rev int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.setLocked(m.bucket(key), key, cell{value: value, mod: rev, gone: value == nil})
}

// read notes what a read of one key found at revision rev.
func (m *mirror) read(key string, kv store.KV, found bool, rev int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	name := m.bucket(key)
	if found {
		m.setLocked(name, key, cell{value: kv.Value, mod: kv.Mod})
	} else if c, ok := m.buckets[name][key]; ok && c.mod <= rev {
		delete(m.buckets[name], key)
	}
}

// in returns what is in a bucket.
func (m *mirror) in(name string) map[string]cell {
	m.mu.Lock()
	defer m.mu.Unlock()
	cells := make(map[string]cell, len(m.buckets[name]))
	for key, c := range m.buckets[name] {
		if !c.gone {
			cells[key] = c
		}
	}
	return cells
}

// get returns one key; a cell without revision does not exist.
func (m *mirror) get(key string) cell {
	m.mu.Lock()
	defer m.mu.Unlock()
	if c := m.buckets[m.bucket(key)][key]; !c.gone {
		return c
	}
	return cell{}
}

// names returns the buckets that hold something.
func (m *mirror) names() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var names []string
	for name, bucket := range m.buckets {
		if len(bucket) > 0 {
			names = append(names, name)
		}
	}
	return names
}

// next returns a channel that is closed at the next batch.
func (m *mirror) next() <-chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.changed
}

func (m *mirror) isLoaded() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.loaded
}
