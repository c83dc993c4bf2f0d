package admin

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/unilb/unilb/impl/store"
)

// delete removes an object that nobody uses; ?force=true does not ask.
func (h *Handler) delete(req *request) (*answer, *failure) {
	if req.id == "" {
		return nil, bad(fmt.Sprintf("missing %s id", req.res.kind))
	}
	key := h.key(req.res, req.id)
	want, insist, err := ifMatch(req.Request)
	if err != nil {
		return nil, err
	}
	for range maxRetries {
		old, exists, _, gerr := h.st.Get(req.Context(), key)
		if gerr != nil {
			return nil, unavailable(gerr)
		}
		if insist && old.Mod != want {
			return nil, mismatch(key, want, old.Mod)
		}
		conds := []store.Cond{{Key: key, Mod: old.Mod}}
		if req.URL.Query().Get("force") != "true" {
			quiet, err := h.unused(req.Context(), req.res, req.id)
			if err != nil {
				return nil, err
			}
			conds = append(conds, quiet...)
		}
		if !exists {
			return nil, keyNotFound()
		}
		rev, cerr := h.commit(req.Context(), conds, store.Op{Key: key, Delete: true})
		var conflict *store.ConflictError
		if errors.As(cerr, &conflict) {
			continue
		}
		if cerr != nil {
			return nil, unavailable(cerr)
		}
		return &answer{code: http.StatusOK, rev: rev, body: struct {
			Deleted string `json:"deleted"`
			Key     string `json:"key"`
		}{"1", key}}, nil
	}
	return nil, lostRace()
}

// unused fails when somebody uses the object, and otherwise returns the
// conditions under which this stays true: nothing was written to the directories
// of possible users after we looked.
func (h *Handler) unused(ctx context.Context, res *resource, id string) ([]store.Cond, *failure) {
	type listing struct {
		kvs []store.KV
		rev int64
	}
	read := map[string]listing{}
	var conds []store.Cond
	for _, u := range res.users {
		l, ok := read[u.dir]
		if !ok {
			kvs, rev, err := h.st.List(ctx, h.dir(u.dir))
			if err != nil {
				return nil, unavailable(err)
			}
			l = listing{kvs, rev}
			read[u.dir] = l
			conds = append(conds, store.Cond{Key: h.dir(u.dir), Mod: rev, Rule: store.Quiet})
		}
		for _, kv := range l.kvs {
			// Most objects do not even contain the id, which saves decoding
			// them; an escape could spell it in another way.
			if !bytes.Contains(kv.Value, []byte(id)) && !bytes.ContainsRune(kv.Value, '\\') {
				continue
			}
			tree, ok := isObject(kv.Value)
			if !ok || !u.uses(tree, id) {
				continue
			}
			who := u.kind
			if u.plugin {
				who = "plugin in " + who
			}
			return nil, bad(fmt.Sprintf("%s, %s [%s] is still using it now",
				res.deleteRefused, who, strings.TrimPrefix(kv.Key, h.dir(u.dir))))
		}
	}
	return conds, nil
}
