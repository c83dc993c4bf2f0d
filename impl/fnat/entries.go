package fnat

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf"
)

// batchEntries is how many entries one system call moves. The kernel hands out
// whole hash buckets, so it must be larger than any bucket can be.
const batchEntries = 4096

// A Diff counts what an audit found different from what was wanted, and put
// right. All zero means that the kernel had exactly the wanted entries.
type Diff struct {
	Added, Changed, Removed int
}

// Empty reports whether nothing differed.
func (d Diff) Empty() bool { return d == Diff{} }

// entries is a hash map of the kernel with typed keys and values.
type entries[K, V comparable] struct{ m *ebpf.Map }

func (e entries[K, V]) get(k K) (v V, ok bool, err error) {
	err = e.m.Lookup(&k, &v)
	if errors.Is(err, ebpf.ErrKeyNotExist) {
		return v, false, nil
	}
	return v, err == nil, err
}

func (e entries[K, V]) put(k K, v V) error { return e.m.Put(&k, &v) }

func (e entries[K, V]) delete(k K) error {
	if err := e.m.Delete(&k); err != nil && !errors.Is(err, ebpf.ErrKeyNotExist) {
		return err
	}
	return nil
}

// all reads the whole map.
func (e entries[K, V]) all() (map[K]V, error) {
	var (
		out    = make(map[K]V)
		keys   = make([]K, batchEntries)
		values = make([]V, batchEntries)
		cursor ebpf.MapBatchCursor
	)
	for {
		n, err := e.m.BatchLookup(&cursor, keys, values, nil)
		for i := range n {
			out[keys[i]] = values[i]
		}
		if errors.Is(err, ebpf.ErrKeyNotExist) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// A change is what turns the entries of a map into the wanted ones.
type change[K, V comparable] struct {
	puts map[K]V
	gone []K
	diff Diff
}

// compare reads the map and works out the change.
func (e entries[K, V]) compare(want map[K]V) (change[K, V], error) {
	have, err := e.all()
	if err != nil {
		return change[K, V]{}, err
	}
	c := change[K, V]{puts: make(map[K]V)}
	for k, v := range want {
		old, ok := have[k]
		switch {
		case !ok:
			c.diff.Added++
		case old != v:
			c.diff.Changed++
		default:
			continue
		}
		c.puts[k] = v
	}
	for k := range have {
		if _, ok := want[k]; !ok {
			c.gone = append(c.gone, k)
			c.diff.Removed++
		}
	}
	return c, nil
}

// putAll writes entries in batches.
func (e entries[K, V]) putAll(puts map[K]V) error {
	keys, values := make([]K, 0, batchEntries), make([]V, 0, batchEntries)
	flush := func() error {
		if len(keys) == 0 {
			return nil
		}
		if n, err := e.m.BatchUpdate(keys, values, nil); err != nil {
			return fmt.Errorf("write %d entries (%d written): %w", len(keys), n, err)
		}
		keys, values = keys[:0], values[:0]
		return nil
	}
	for k, v := range puts {
		keys, values = append(keys, k), append(values, v)
		if len(keys) == batchEntries {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return flush()
}

// deleteAll removes entries. One by one: the batch call stops at the first key
// that is already gone.
func (e entries[K, V]) deleteAll(gone []K) error {
	for _, k := range gone {
		if err := e.delete(k); err != nil {
			return err
		}
	}
	return nil
}

// sync makes the map hold exactly the wanted entries: first what is new, then
// away with the rest.
func (e entries[K, V]) sync(want map[K]V) (Diff, error) {
	c, err := e.compare(want)
	if err != nil {
		return Diff{}, err
	}
	if err := e.putAll(c.puts); err != nil {
		return Diff{}, err
	}
	return c.diff, e.deleteAll(c.gone)
}
