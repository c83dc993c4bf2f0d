package history

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/unilb/unilb/impl/store"
)

// A Log is all entries that are kept of a directory, and its objects as they are now.
type Log struct {
	Entries  []Entry // in the order of revisions
	Objects  map[string]store.KV
	Revision int64   // of both
	Damaged  []error // entries that cannot be read
	oldest   int64   // revision of the oldest entry, of whatever directory; 0: there is none
}

// Load reads the objects of a directory such as /apisix and the entries about them, at
// one revision.
func Load(ctx context.Context, st *store.Store, objects string) (*Log, error) {
	kvs, rev, err := st.List(ctx, Prefix)
	if err != nil {
		return nil, err
	}
	l := &Log{Revision: rev, Objects: map[string]store.KV{}}
	s := Store{Objects: objects}
	for _, kv := range kvs {
		e, err := Parse(kv)
		if err != nil {
			l.Damaged = append(l.Damaged, err)
			continue
		}
		if l.oldest == 0 || e.Revision < l.oldest {
			l.oldest = e.Revision
		}
		e.Changes = slices.DeleteFunc(e.Changes, func(c Change) bool { return !s.recorded(store.Op{Key: c.Key}) })
		if len(e.Changes) > 0 {
			l.Entries = append(l.Entries, e)
		}
	}
	slices.SortFunc(l.Entries, func(a, b Entry) int { return cmp.Compare(a.Revision, b.Revision) })
	now, err := st.ListAt(ctx, objects, rev)
	if err != nil {
		return nil, err
	}
	for _, kv := range now {
		if s.recorded(store.Op{Key: kv.Key}) {
			l.Objects[kv.Key] = kv
		}
	}
	l.complete()
	return l, nil
}

// complete finds what each change put: what the next one of that key has replaced, or
// what is there now; and whether it was gone by then.
func (l *Log) complete() {
	type put struct {
		change *Change
		rev    int64
	}
	last := map[string]put{}
	for i := range l.Entries {
		e := &l.Entries[i]
		for j := range e.Changes {
			c := &e.Changes[j]
			switch p := last[c.Key]; {
			case p.change == nil:
			case p.rev == c.Prev && !e.Omitted:
				p.change.After, p.change.AfterKnown = c.Before, true
			case c.Prev == 0:
				p.change.Gone = !p.change.Deleted
			}
			c.After, c.AfterKnown = c.Put, c.Deleted || c.Put != nil
			last[c.Key] = put{c, e.Revision}
		}
	}
	for key, p := range last {
		switch now := l.Objects[key]; now.Mod {
		case p.rev:
			p.change.After, p.change.AfterKnown = now.Value, true
		case 0:
			p.change.Gone = !p.change.Deleted
		}
	}
}

// A State is the objects as they were at a revision.
type State struct {
	Revision int64
	Objects  map[string]Object
	// Created is the revision that created an object, by which a gateway orders routes
	// that are equal otherwise; 0: it is not known.
	Created map[string]int64
	// Unknown are keys of which the log does not tell: they were written since by
	// somebody who leaves no entry, or were too large to be kept.
	Unknown []string
}

// At returns the state at a revision: from etcd while it has it, else from the entries.
// Of an object that somebody deleted who leaves no entry the entries know nothing.
func (l *Log) At(ctx context.Context, st *store.Store, objects string, rev int64) (*State, error) {
	if rev < 1 || rev > l.Revision {
		return nil, fmt.Errorf("revision %d: etcd is at %d", rev, l.Revision)
	}
	kvs, err := st.ListAt(ctx, objects, rev)
	if errors.Is(err, store.ErrCompacted) {
		return l.rebuilt(rev)
	}
	if err != nil {
		return nil, err
	}
	s, of := newState(rev), Store{Objects: objects}
	for _, kv := range kvs {
		if of.recorded(store.Op{Key: kv.Key}) {
			s.Objects[kv.Key], s.Created[kv.Key] = kv.Value, kv.Create
		}
	}
	return s, nil
}

func newState(rev int64) *State {
	return &State{Revision: rev, Objects: map[string]Object{}, Created: map[string]int64{}}
}

// rebuilt takes back every entry after a revision.
func (l *Log) rebuilt(rev int64) (*State, error) {
	if l.oldest == 0 || rev < l.oldest-1 {
		return nil, fmt.Errorf("revision %d: etcd does not have it any more, and the history begins at %d", rev, l.begins())
	}
	type version struct {
		mod   int64
		value Object
		known bool
	}
	was := map[string]version{}
	for key, kv := range l.Objects {
		was[key] = version{kv.Mod, kv.Value, true}
	}
	for _, e := range slices.Backward(l.Entries) {
		if e.Revision <= rev {
			break
		}
		for _, c := range e.Changes {
			was[c.Key] = version{c.Prev, c.Before, !e.Omitted || c.Prev == 0}
		}
	}
	s, created := newState(rev), l.created(rev)
	for _, key := range slices.Sorted(maps.Keys(was)) {
		switch v := was[key]; {
		case v.mod > rev || !v.known:
			s.Unknown = append(s.Unknown, key)
		case v.value != nil:
			s.Objects[key] = v.value
			s.Created[key] = created[key]
			if create := l.Objects[key].Create; 0 < create && create <= rev { // it has not been away since
				s.Created[key] = create
			}
		}
	}
	return s, nil
}

func (l *Log) begins() int64 {
	if l.oldest == 0 {
		return l.Revision
	}
	return l.oldest
}

// Now is the state as it is.
func (l *Log) Now() *State {
	s := newState(l.Revision)
	for key, kv := range l.Objects {
		s.Objects[key], s.Created[key] = kv.Value, kv.Create
	}
	return s
}

// Diff lists the objects that differ in another state, in the order of keys, but for
// those of which one of the states knows nothing.
func (s *State) Diff(to *State) []Change {
	keys := map[string]bool{}
	for _, m := range []map[string]Object{s.Objects, to.Objects} {
		for key := range m {
			keys[key] = true
		}
	}
	var out []Change
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		a, b := s.Objects[key], to.Objects[key]
		if bytes.Equal(a, b) && (a == nil) == (b == nil) || slices.Contains(s.Unknown, key) || slices.Contains(to.Unknown, key) {
			continue
		}
		out = append(out, Change{Key: key, Before: a, After: b})
	}
	return out
}
