package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/unilb/unilb/impl/history"
	"github.com/unilb/unilb/impl/store"
)

const (
	// A transaction changes batchItems objects at most, with two operations each and
	// what the history adds (etcd takes 128 by default), and about batchBytes of them.
	batchItems = 50
	batchBytes = 512 << 10
)

// writeOrder is the order of sections in which objects are written: what is referred to
// comes first. They are deleted in the reverse order.
var writeOrder = []string{
	"secrets", "plugin_metadata", "protos", "ssls", "upstreams", "plugin_configs", "services", "consumer_groups", "consumers",
	"global_rules", "routes", "stream_routes",
}

// edit is what becomes of one object.
type edit struct {
	conds []store.Cond
	ops   []store.Op
	size  int // bytes
}

// batches are the edits that make the sections what the configuration says, in
// transactions that etcd takes. What is so already is left alone, so that gateways keep
// what they know of it.
func (p *replacement) batches(replaced []string, rev int64) ([]edit, error) {
	var puts, deletions []edit
	for _, section := range writeOrder {
		if !slices.Contains(replaced, section) {
			continue
		}
		put, gone, err := p.edits(section, rev)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", section, err)
		}
		puts, deletions = append(puts, put...), append(gone, deletions...)
	}
	var out []edit
	n := 0 // edits in the last one
	for _, e := range append(puts, deletions...) {
		if len(out) == 0 || n == batchItems || out[len(out)-1].size+e.size > batchBytes {
			out, n = append(out, edit{}), 0
		}
		b := &out[len(out)-1]
		b.conds, b.ops, b.size = append(b.conds, e.conds...), append(b.ops, e.ops...), b.size+e.size
		n++
	}
	return out, nil
}

// putKeys are the keys that batches put.
func putKeys(batches []edit) map[string]bool {
	out := map[string]bool{}
	for _, b := range batches {
		for _, op := range b.ops {
			if !op.Delete {
				out[op.Key] = true
			}
		}
	}
	return out
}

// edits compares a section with what etcd holds.
func (p *replacement) edits(section string, rev int64) (puts, deletions []edit, err error) {
	have, notes := map[string]store.KV{}, map[string]store.KV{}
	if err := p.gather(p.h.dir(section), rev, have); err != nil {
		return nil, nil, err
	}
	if err := p.gather(p.h.itemNotes(section), rev, notes); err != nil {
		return nil, nil, err
	}
	want := p.checked[section]
	tails := make([]string, len(want))
	for i, w := range want {
		tails[i] = w.at.tail()
	}
	ranks := ranked(tails, noted(notes))
	for i, w := range want {
		text, err := json.Marshal(note{w.index, ranks[i]})
		if err != nil {
			return nil, nil, err
		}
		var e edit
		tail := tails[i]
		if old := have[tail]; !bytes.Equal(old.Value, w.value) {
			e.put(p.ctx, old, p.h.key(w.at), w.value)
		}
		if !bytes.Equal(notes[tail].Value, text) {
			e.ops = append(e.ops, store.Op{Key: p.h.itemNotes(section) + tail, Value: text})
		}
		if len(e.ops) > 0 {
			puts = append(puts, e)
		}
		delete(have, tail)
		delete(notes, tail)
	}
	return puts, p.rest(section, have, notes), nil
}

// rest deletes what the configuration does not have.
func (p *replacement) rest(section string, have, notes map[string]store.KV) []edit {
	var out []edit
	gone := maps.Clone(notes)
	maps.Copy(gone, have)
	for _, tail := range slices.Backward(slices.Sorted(maps.Keys(gone))) {
		var e edit
		if kv, ok := have[tail]; ok {
			history.Saw(p.ctx, kv)
			e.conds = []store.Cond{{Key: kv.Key, Mod: kv.Mod}}
			e.ops = append(e.ops, store.Op{Key: kv.Key, Delete: true})
		}
		if kv, ok := notes[tail]; ok {
			e.ops = append(e.ops, store.Op{Key: kv.Key, Delete: true})
		}
		out = append(out, e)
	}
	return out
}

func (e *edit) put(ctx context.Context, old store.KV, key string, value []byte) {
	if old.Mod > 0 {
		history.Saw(ctx, old)
	}
	e.conds = append(e.conds, store.Cond{Key: key, Mod: old.Mod})
	e.ops = append(e.ops, store.Op{Key: key, Value: value})
	e.size += len(value)
}

// gather reads a directory; placeholders are none of its objects.
func (p *replacement) gather(dir string, rev int64, into map[string]store.KV) error {
	_, err := p.h.each(p.ctx, dir, rev, func(kv store.KV) error {
		if !strings.HasSuffix(kv.Key, "/") {
			into[strings.TrimPrefix(kv.Key, dir)] = kv
		}
		return nil
	})
	return err
}

func noted(kvs map[string]store.KV) map[string]note {
	out := make(map[string]note, len(kvs))
	for tail, kv := range kvs {
		var n note
		if json.Unmarshal(kv.Value, &n) == nil {
			out[tail] = n
		}
	}
	return out
}

// steps are the transactions of one try.
type steps struct {
	*replacement
	standing, writer int64 // revisions of the two keys that hold others off
	renewed          time.Time
}

// run carries the batches out. One is one transaction. Of several the first transaction
// says that the sections are open, and the last that they are not: who finds them open
// knows that what they hold is no configuration that anybody gave.
func (s *steps) run(now, next standing, replaced []string, batches []edit) (rev int64, err error) {
	if len(batches) == 0 {
		batches = []edit{{}}
	}
	if len(batches) == 1 {
		return s.end(next, batches[0])
	}
	defer func() {
		if err != nil {
			s.release()
		}
	}()
	for _, section := range replaced {
		if !slices.Contains(now.Open, section) {
			now.Open = append(now.Open[:len(now.Open):len(now.Open)], section)
		}
	}
	if rev, err = s.commit(edit{ops: []store.Op{s.put(now), s.hold()}}); err != nil {
		return 0, err
	}
	s.standing, s.writer, s.renewed = rev, rev, time.Now()
	last := len(batches) - 1
	for _, b := range batches[:last] {
		renew := time.Since(s.renewed) > writerLife/3
		if renew {
			b.ops = append(b.ops, s.hold())
		}
		if rev, err = s.commit(b); err != nil {
			return 0, err
		}
		if renew {
			s.writer, s.renewed = rev, time.Now()
		}
	}
	return s.end(next, batches[last])
}

// end is the last transaction, or the only one.
func (s *steps) end(next standing, b edit) (int64, error) {
	b.ops = append(b.ops, s.put(next))
	if s.writer > 0 {
		b.ops = append(b.ops, store.Op{Key: s.h.writerKey(), Delete: true})
	}
	return s.commit(b)
}

func (s *steps) put(st standing) store.Op {
	value, _ := json.Marshal(st) // strings and finite numbers
	return store.Op{Key: s.h.standingKey(), Value: value}
}

func (s *steps) hold() store.Op {
	return store.Op{Key: s.h.writerKey(), Value: []byte(s.h.self), TTL: writerLife}
}

// commit makes a transaction that nobody else has come between.
func (s *steps) commit(e edit) (int64, error) {
	conds := append(e.conds, store.Cond{Key: s.h.standingKey(), Mod: s.standing}, store.Cond{Key: s.h.writerKey(), Mod: s.writer})
	return s.h.commit(s.ctx, conds, e.ops...)
}

// release lets others begin. Whether it succeeds matters little: the key vanishes by
// itself, and this replica knows it for its own.
func (s *steps) release() {
	if s.writer > 0 {
		_, _ = s.h.commit(s.ctx, []store.Cond{{Key: s.h.writerKey(), Mod: s.writer}}, store.Op{Key: s.h.writerKey(), Delete: true})
	}
}
