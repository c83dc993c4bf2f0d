package agent

import (
	"fmt"
	"maps"
	"slices"

	"github.com/unilb/unilb/impl/store"
)

// A mirror holds the objects of a directory, each in its last valid version: an
// object that cannot be read keeps its previous one and is reported.
type mirror[T any] struct {
	// parse reads an object. It must refuse one whose key is not its own.
	parse func(store.KV) (T, error)
	// mine reports whether a key is one of this mirror's.
	mine    func(key string) bool
	objects map[string]T // by key
}

// A step is what a batch changed in a mirror.
type step struct {
	put  []string // keys with a new version
	gone []string // keys that are no more
}

func (s step) empty() bool { return len(s.put) == 0 && len(s.gone) == 0 }

// take takes a batch over. Old is what the mirror held before for each key that
// it names, where there was something.
func (m *mirror[T]) take(b store.Batch, rep reporter) (s step, old map[string]T) {
	if m.objects == nil {
		m.objects = make(map[string]T)
	}
	old = make(map[string]T)
	gone := b.Deletes
	if b.Reset {
		kept := make(map[string]bool, len(b.Puts))
		for _, kv := range b.Puts {
			kept[kv.Key] = true
		}
		for key := range m.objects {
			if !kept[key] {
				gone = append(gone, key)
			}
		}
	}
	for _, key := range gone {
		if !m.mine(key) {
			continue
		}
		rep.Accept(key) // also of an object that never was valid
		if o, ok := m.objects[key]; ok {
			old[key] = o
			delete(m.objects, key)
			s.gone = append(s.gone, key)
		}
	}
	for _, kv := range b.Puts {
		if !m.mine(kv.Key) {
			continue
		}
		o, err := m.parse(kv)
		if err != nil {
			rep.Refuse(kv.Key, err)
			continue
		}
		rep.Accept(kv.Key)
		if prev, ok := m.objects[kv.Key]; ok {
			old[kv.Key] = prev
		}
		m.objects[kv.Key] = o
		s.put = append(s.put, kv.Key)
	}
	return s, old
}

// keys returns the keys of all objects, sorted.
func (m *mirror[T]) keys() []string { return slices.Sorted(maps.Keys(m.objects)) }

// keyed is an object that knows where it lives in etcd.
type keyed interface{ Key() string }

// parseKeyed makes a parse function that also compares the key.
func parseKeyed[T keyed](parse func([]byte) (T, error)) func(store.KV) (T, error) {
	return func(kv store.KV) (T, error) {
		o, err := parse(kv.Value)
		if err != nil {
			return o, err
		}
		if want := o.Key(); want != kv.Key {
			return o, fmt.Errorf("the object belongs at %s", want)
		}
		return o, nil
	}
}
