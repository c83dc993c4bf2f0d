package admin

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/unilb/unilb/impl/store"
)

// unused fails when somebody uses the object. Otherwise nobody does as long as
// nothing is written to the directories of possible users after d.seen. From the
// second call on it looks only at what was written since.
func (h *Handler) unused(d *deletion) *failure {
	var kvs []store.KV
	var rev int64
	var err error
	dirs := h.userDirs(d.res)
	switch {
	case len(dirs) == 0:
		return nil
	case d.seen == 0:
		kvs, rev, err = h.listAll(d.Context(), dirs)
	default:
		kvs, rev, err = h.st.Changed(d.Context(), d.seen, dirs...)
	}
	if err != nil {
		return unavailable(err)
	}
	for _, u := range d.res.users {
		for _, kv := range kvs {
			id, ok := strings.CutPrefix(kv.Key, h.dir(u.dir))
			if !ok || !u.mentions(kv.Value, d.id) {
				continue
			}
			who := u.kind
			if u.plugin {
				who = "plugin in " + who
			}
			return bad(fmt.Sprintf("%s, %s [%s] is still using it now", d.res.deleteRefused, who, id))
		}
	}
	d.seen = rev
	return nil
}

// mentions reports whether a stored user refers to id. Most objects do not even
// contain the id, which saves decoding them; an escape could spell it in another
// way.
func (u user) mentions(value []byte, id string) bool {
	if !bytes.Contains(value, []byte(id)) && !bytes.ContainsRune(value, '\\') {
		return false
	}
	tree, ok := isObject(value)
	return ok && u.uses(tree, id)
}

// userDirs are the directories in which users of such an object can be.
func (h *Handler) userDirs(res *resource) []string {
	var dirs []string
	for _, u := range res.users {
		if dir := h.dir(u.dir); !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

// listAll returns what is in the directories, and the revision up to which it is
// complete in all of them.
func (h *Handler) listAll(ctx context.Context, dirs []string) (all []store.KV, rev int64, err error) {
	for _, dir := range dirs {
		kvs, at, err := h.st.List(ctx, dir)
		if err != nil {
			return nil, 0, err
		}
		all = append(all, kvs...)
		if rev == 0 || at < rev {
			rev = at
		}
	}
	return all, rev, nil
}
