package bpf

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

const (
	batch      = 4096 // entries that one call reads, writes or deletes
	minKeySize = 12   // bytes: in shorter keys random ones would meet real ones
	maxBytes   = 256  // of a key, and of a value
)

// A Table is a pinned hash table, with or without eviction of the oldest.
type Table struct {
	path string
	m    *ebpf.Map
}

// Unsuitable says why a pinned map cannot be filled.
type Unsuitable struct{ Path, Why string }

func (e *Unsuitable) Error() string { return fmt.Sprintf("map %s: %s", e.Path, e.Why) }

// OpenTable opens a pinned hash table. The error is *Unsuitable for what can be
// opened and is none, or has keys too short for opaque entries.
func OpenTable(path string) (*Table, error) {
	m, err := ebpf.LoadPinnedMap(path, nil)
	if err != nil {
		return nil, fmt.Errorf("open map %s: %w", path, err)
	}
	var why string
	switch {
	case m.Type() != ebpf.Hash && m.Type() != ebpf.LRUHash:
		why = fmt.Sprintf("is of type %s, not a hash table", m.Type())
	case m.KeySize() < minKeySize:
		why = fmt.Sprintf("has keys of %d bytes; foreign keys need %d, or they could be somebody's", m.KeySize(), minKeySize)
	case m.KeySize() > maxBytes || m.ValueSize() > maxBytes:
		why = fmt.Sprintf("has keys of %d and values of %d bytes; more than %d are not supported", m.KeySize(), m.ValueSize(), maxBytes)
	}
	if why != "" {
		return nil, errors.Join(&Unsuitable{path, why}, m.Close())
	}
	return &Table{path: path, m: m}, nil
}

// Close gives up the descriptor; the table is its owner's.
func (t *Table) Close() { _ = t.m.Close() }

// Capacity is how many entries the table can have.
func (t *Table) Capacity() int { return int(t.m.MaxEntries()) }

// Evicts reports whether a new entry replaces the oldest when the table is full;
// otherwise it is refused.
func (t *Table) Evicts() bool { return t.m.Type() == ebpf.LRUHash }

// Count returns how many entries the table has, and how many of them Fill wrote
// with this seed. While others change the table each entry is counted as it was
// at some moment of the counting.
func (t *Table) Count(seed uint64) (all, foreign int, err error) {
	err = t.scan(func(keys reflect.Value) error {
		all += keys.Len()
		for i := range keys.Len() {
			if t.wrote(keys.Index(i).Bytes(), seed) {
				foreign++
			}
		}
		return nil
	})
	if err != nil {
		return 0, 0, fmt.Errorf("count entries of %s: %w", t.path, err)
	}
	return all, foreign, nil
}

// Fill writes foreign entries until the table holds no more: their keys follow
// from the seed, their values are zero. A table that evicts loses its oldest
// entries of others to them. Filling again with the same seed changes nothing
// that matters. It takes about a microsecond for an entry.
func (t *Table) Fill(seed uint64) error {
	for at := 0; at < t.writes(); at += batch {
		keys, values := t.entries(min(batch, t.writes()-at))
		for i := range keys.Len() {
			foreignKey(keys.Index(i).Bytes(), seed, uint64(at+i))
		}
		_, err := t.m.BatchUpdate(keys.Interface(), values.Interface(), nil)
		if errors.Is(err, unix.E2BIG) {
			return nil // full: a table that does not evict says so
		}
		if err != nil {
			return fmt.Errorf("fill %s: %w", t.path, err)
		}
	}
	return nil
}

// Drain deletes what Fill wrote with this seed, in any process, and nothing else.
// It returns how many entries were still there.
func (t *Table) Drain(seed uint64) (int, error) {
	deleted := 0
	err := t.scan(func(keys reflect.Value) error {
		n := 0
		for i := range keys.Len() {
			if t.wrote(keys.Index(i).Bytes(), seed) {
				keys.Index(n).Set(keys.Index(i))
				n++
			}
		}
		got, err := t.drop(keys.Slice(0, n))
		deleted += got
		return err
	})
	if err != nil {
		return deleted, fmt.Errorf("empty %s: %w", t.path, err)
	}
	return deleted, nil
}

// scan calls each with the keys of the table, some at a time. They may be changed
// and deleted meanwhile.
func (t *Table) scan(each func(keys reflect.Value) error) error {
	keys, values := t.entries(batch)
	var at ebpf.MapBatchCursor
	for {
		n, err := t.m.BatchLookup(&at, keys.Interface(), values.Interface(), nil)
		if err != nil && !errors.Is(err, ebpf.ErrKeyNotExist) {
			return err
		}
		if failed := each(keys.Slice(0, n)); failed != nil || err != nil {
			return failed // the kernel says by its error that this was the end
		}
	}
}

// drop deletes those of the keys that are still there. The kernel stops at one
// that is not.
func (t *Table) drop(keys reflect.Value) (int, error) {
	deleted := 0
	for at := 0; at < keys.Len(); {
		got, err := t.m.BatchDelete(keys.Slice(at, keys.Len()).Interface(), nil)
		deleted += got
		at += got
		switch {
		case errors.Is(err, ebpf.ErrKeyNotExist):
			at++
		case err != nil:
			return deleted, err
		}
	}
	return deleted, nil
}

// writes is how many entries Fill writes. A table that evicts has some free
// places for each CPU, and evicts from one list while there are places on
// another: an eighth more than it holds reaches all of them.
func (t *Table) writes() int { return t.Capacity() + t.Capacity()/8 }

// entries makes slices of n keys and n values of the table's sizes.
func (t *Table) entries(n int) (keys, values reflect.Value) {
	of := func(size uint32) reflect.Value {
		return reflect.MakeSlice(reflect.SliceOf(reflect.ArrayOf(int(size), reflect.TypeFor[byte]())), n, n)
	}
	return of(t.m.KeySize()), of(t.m.ValueSize())
}
