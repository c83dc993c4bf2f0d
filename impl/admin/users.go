package admin

import (
	"fmt"
	"slices"
	"strings"

	"github.com/unilb/unilb/impl/history"
	"github.com/unilb/unilb/impl/store"
)

// watchedUsers is up to how many possible users a deletion holds their directories as
// they are: that finds every new user, even one that somebody wrote to etcd past the Admin
// API, but etcd looks at each of them while all other writes wait, for 5 us. It is
// tried once: where others write all the time they would never be as they were.
const watchedUsers = 1000

// unused fails when somebody uses the object, as it was at revision since or later, and
// returns the conditions under which nobody does.
func (h *Handler) unused(d *deletion, since int64) ([]store.Cond, *failure) {
	if len(d.res.users) == 0 {
		return nil, nil
	}
	var dirs []string
	for _, u := range d.res.users {
		if !slices.Contains(dirs, u.dir) {
			dirs = append(dirs, u.dir)
		}
	}
	known, upTo, err := h.knowledge.at(d.Context(), since, dirs...)
	if err != nil {
		return nil, unavailable(err)
	}
	for place := range d.res.users {
		user, ok, err := h.anyone(d.Context(), known, d.key, referenceTo(d.key, place))
		switch {
		case err != nil:
			return nil, unavailable(err)
		case ok:
			return nil, h.inUse(d, place, user.Key)
		}
	}
	if d.again || !known.few(watchedUsers, dirs) {
		return []store.Cond{
			{Key: referenceLock(d.key), Mod: upTo, Rule: store.Unwritten},
			{Key: history.ReferencesLock, Mod: upTo, Rule: store.Unwritten},
		}, nil
	}
	var conds []store.Cond
	for _, dir := range dirs {
		conds = append(conds, store.Cond{Key: h.dir(dir), Mod: upTo, Rule: store.Quiet})
	}
	return conds, nil
}

func (h *Handler) inUse(d *deletion, place int, key string) *failure {
	u := d.res.users[place]
	who, as := u.kind, u.as
	if u.plugin {
		who = "plugin in " + who
	}
	if as == "" {
		as = "now"
	}
	return bad(fmt.Sprintf("%s, %s [%s] is still using it %s", d.res.deleteRefused, who, strings.TrimPrefix(key, h.dir(u.dir)), as))
}

// referenceLock is the key that is written with every reference to an object that was
// not there before, so that a deletion can hold one key instead of all that might refer to
// it. There are 256, whose values mean nothing.
func referenceLock(target string) string {
	return lockOf(history.ReferencesLock+"/", target)
}

// referenceLocks are the ops that go with a write of an object: it holds references that
// old, which it replaces, did not hold.
func (h *Handler) referenceLocks(at address, obj map[string]any, old []byte) []store.Op {
	refers := h.mentions(at.res.dir, obj)
	if len(refers) == 0 {
		return nil
	}
	was, _ := isObject(old)
	before := h.mentions(at.res.dir, was)
	var ops []store.Op
	for _, m := range refers {
		op := store.Op{Key: referenceLock(m.value), Value: []byte(m.value)}
		if !slices.Contains(before, m) && !slices.ContainsFunc(ops, func(o store.Op) bool { return o.Key == op.Key }) {
			ops = append(ops, op)
		}
	}
	return ops
}
