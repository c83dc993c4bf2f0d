package history

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/unilb/unilb/impl/store"
)

// A Plan is what has to change to have a state again.
type Plan struct {
	objects string
	rev     int64             // up to which it was made
	end     map[string]Object // what is there then
	Groups  []Group
	// Unknown are keys that are left as they are, because nothing is known of them.
	Unknown []string
	// Beside, unless it is nil, is asked before each transaction what else that has to
	// hold and to write when it changes objects of these kinds.
	Beside func(ctx context.Context, kinds []string) ([]store.Cond, []store.Op, error)
}

// Restore plans how objects become again what they were in a state. keys are patterns as
// of path.Match, below the directory of objects, that choose among them; none: all. The
// error says which object would refer to one that is not there.
func (l *Log) Restore(s *State, objects string, keys []string) (*Plan, error) {
	p := &Plan{objects: objects, rev: l.Revision}
	changes := map[string]Change{}
	unknown := map[string]bool{}
	for _, key := range s.Unknown {
		if Chosen(objects, key, keys) {
			unknown[key] = true
			p.Unknown = append(p.Unknown, key)
		}
	}
	all := map[string]bool{}
	for key := range l.Objects {
		all[key] = true
	}
	for key := range s.Objects {
		all[key] = true
	}
	end := map[string]Object{}
	p.end = end
	for key := range all {
		now, was := l.Objects[key], s.Objects[key]
		if !Chosen(objects, key, keys) || unknown[key] || bytes.Equal(now.Value, was) && (now.Value == nil) == (was == nil) {
			if now.Value != nil {
				end[key] = now.Value
			}
			continue
		}
		if was != nil {
			end[key] = was
		}
		changes[key] = Change{Key: key, Prev: now.Mod, Before: now.Value, After: was}
	}
	if err := complete(objects, end, changes); err != nil {
		return nil, err
	}
	for _, g := range grouped(objects, changes) {
		p.Groups = append(p.Groups, newGroup(objects, g))
	}
	byAge(p.Groups, s)
	return p, nil
}

// Chosen tells whether one of the patterns, as of path.Match and below the directory of
// objects, matches a key; without patterns every key is chosen. A pattern that is none
// chooses the key that is spelt like it.
func Chosen(objects, key string, patterns []string) bool {
	rest := strings.TrimPrefix(key, objects+"/")
	return len(patterns) == 0 || slices.ContainsFunc(patterns, func(p string) bool {
		ok, err := path.Match(p, rest)
		return err == nil && ok || rest == p
	})
}

// complete refuses an end in which a change has left a reference that leads nowhere.
func complete(objects string, end map[string]Object, changes map[string]Change) error {
	for _, key := range slices.Sorted(maps.Keys(end)) {
		for _, to := range refersTo(objects, key, end[key]) {
			_, there := end[to]
			_, mine := changes[key]
			_, its := changes[to]
			if !there && (mine || its) {
				return fmt.Errorf("%s would refer to %s, which would not be there: restore both, or neither", key, to)
			}
		}
	}
	return nil
}

// Do makes the changes, a group at a time, and returns the revision of the last one. It
// stops at the first that fails: the groups before that are in place, done of them, and a
// new plan goes on from there. A *store.ConflictError says that somebody else changed an
// object meanwhile.
func (p *Plan) Do(ctx context.Context, st *Store, who Who) (rev int64, done int, err error) {
	for _, g := range p.Groups {
		for _, step := range g.steps {
			if rev, err = p.commit(By(ctx, who), st, step); err != nil {
				return rev, done, fmt.Errorf("restore %s: %w", step[0].Key, err)
			}
		}
		done++
	}
	return rev, done, nil
}

func (p *Plan) commit(ctx context.Context, st *Store, step []Change) (int64, error) {
	var conds []store.Cond
	var ops []store.Op
	mine := map[string]bool{}
	gone := map[string]bool{}
	for _, c := range step {
		mine[c.Key] = true
		if c.After == nil {
			gone[c.Key] = true
		}
	}
	for _, c := range step {
		conds = append(conds, store.Cond{Key: c.Key, Mod: c.Prev})
		ops = append(ops, store.Op{Key: c.Key, Value: c.After, Delete: c.After == nil})
		for _, to := range refersTo(p.objects, c.Key, c.After) {
			if need := (store.Cond{Key: to, Rule: store.Exists}); !mine[to] && !slices.Contains(conds, need) {
				conds = append(conds, need)
			}
		}
	}
	if len(gone) > 0 {
		quiet, err := p.unused(ctx, st, gone)
		if err != nil {
			return 0, err
		}
		conds = append(conds, quiet...)
	}
	ops = append(ops, store.Op{Key: ReferencesLock, Value: []byte("rollback")})
	if p.Beside != nil {
		held, also, err := p.Beside(ctx, p.kinds(step))
		if err != nil {
			return 0, err
		}
		conds, ops = append(conds, held...), append(ops, also...)
	}
	return st.Commit(ctx, conds, ops...)
}

func (p *Plan) kinds(changes []Change) []string {
	kinds := map[string]bool{}
	for _, c := range changes {
		kinds[kind(p.objects, c.Key)] = true
	}
	return slices.Sorted(maps.Keys(kinds))
}

// ReferencesLock is written with references that objects did not hold before, by who does
// not write a key below it for each: a deletion by the Admin API holds both. Its value
// means nothing.
const ReferencesLock = "/unilb/locks/references"

// unused looks whether anybody has begun since the plan to refer to what is to be
// deleted, and returns the conditions under which nobody does.
func (p *Plan) unused(ctx context.Context, st *Store, gone map[string]bool) ([]store.Cond, error) {
	var dirs []string
	for _, name := range slices.Sorted(maps.Keys(references)) {
		dirs = append(dirs, p.objects+"/"+name)
	}
	kvs, rev, err := st.Changed(ctx, p.rev, dirs...)
	if err != nil {
		return nil, err
	}
	for _, kv := range kvs {
		for _, to := range refersTo(p.objects, kv.Key, kv.Value) {
			if gone[to] && !gone[kv.Key] {
				return nil, fmt.Errorf("%s refers to %s since: %w", kv.Key, to, errInUse)
			}
		}
	}
	conds := make([]store.Cond, len(dirs))
	for i, dir := range dirs {
		conds[i] = store.Cond{Key: dir, Mod: rev, Rule: store.Quiet}
	}
	return conds, nil
}

var errInUse = errors.New("somebody changed the configuration meanwhile")
