package admin

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/unilb/unilb/impl/store"
)

// unused fails when somebody uses the object. Otherwise nobody does as long as
// nothing is written to the directories of possible users after d.seen. From the
// second call on it looks only at what was written since.
func (h *Handler) unused(d *deletion) *failure {
	dirs := h.userDirs(d.res)
	if len(dirs) == 0 {
		return nil
	}
	s := search{h: h, d: d, kind: len(d.res.users)}
	if d.seen > 0 {
		kvs, rev, err := h.st.Changed(d.Context(), d.seen, dirs...)
		if err != nil {
			return unavailable(err)
		}
		for _, kv := range kvs {
			_ = s.look(kv) // never fails
		}
		d.seen = rev
		return s.found()
	}
	seen := int64(0)
	for _, dir := range dirs {
		rev, err := h.each(d.Context(), dir, 0, s.look)
		if err != nil {
			return unavailable(err)
		}
		if seen == 0 || rev < seen {
			seen = rev
		}
	}
	d.seen = seen
	return s.found()
}

// search looks for the user that the answer names: of the first kind in the list,
// the first that comes.
type search struct {
	h    *Handler
	d    *deletion
	kind int // in the list; its length: nobody was found
	id   string
}

func (s *search) look(kv store.KV) error {
	for n, u := range s.d.res.users[:s.kind] {
		id, ok := strings.CutPrefix(kv.Key, s.h.dir(u.dir))
		if ok && kv.Key != s.d.key && u.mentions(kv.Value, s.d.id) {
			s.kind, s.id = n, id
			break
		}
	}
	return nil
}

func (s *search) found() *failure {
	if s.kind == len(s.d.res.users) {
		return nil
	}
	u := s.d.res.users[s.kind]
	who, as := u.kind, u.as
	if u.plugin {
		who = "plugin in " + who
	}
	if as == "" {
		as = "now"
	}
	return bad(fmt.Sprintf("%s, %s [%s] is still using it %s", s.d.res.deleteRefused, who, s.id, as))
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
