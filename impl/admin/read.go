package admin

import (
	"context"
	"net/http"
	"strings"

	"github.com/unilb/unilb/impl/store"
)

const (
	// Keys are read in steps, of firstKeys at first and of mostKeys at most, that
	// should not be much larger than stepBytes.
	firstKeys = 100
	mostKeys  = 1000
	stepBytes = 2 << 20
)

// get answers one object or a list.
func (h *Handler) get(req *request) (*answer, *failure) {
	if req.id == "" {
		return h.list(req)
	}
	kv, ok, _, err := h.st.Get(req.Context(), h.key(req.address))
	if err != nil {
		return nil, unavailable(err)
	}
	if _, isObj := isObject(kv.Value); !ok || !isObj {
		return nil, keyNotFound()
	}
	return &answer{code: http.StatusOK, body: h.itemOf(req.res, kv)}, nil
}

func (h *Handler) itemOf(res *resource, kv store.KV) item {
	return item{Key: kv.Key, Value: h.shown(res, kv.Value), CreatedIndex: kv.Create, ModifiedIndex: kv.Mod}
}

// listDir is the directory that a list shows: of secrets always that of all
// managers, as in APISIX.
func (h *Handler) listDir(at address) string {
	if at.res.dir == "secrets" {
		return h.dir(at.res.dir)
	}
	return h.dir(at.res.dir) + at.within
}

// listed tells whether a key is of an object that a list shows: no placeholder,
// and not below another object.
func (h *Handler) listed(at address, key string) bool {
	tail := strings.TrimPrefix(key, h.listDir(at))
	return !strings.HasSuffix(key, "/") && (at.res.dir == "secrets" || !strings.Contains(tail, "/"))
}

// each calls f for everything in a directory as it was at revision rev (0: now),
// step by step, and returns that revision.
func (h *Handler) each(ctx context.Context, dir string, rev int64, f func(store.KV) error) (int64, error) {
	w := walk{h: h, dir: dir, rev: rev, limit: firstKeys}
	for !w.done {
		kvs, err := w.next(ctx)
		if err != nil {
			return 0, err
		}
		for _, kv := range kvs {
			if err := f(kv); err != nil {
				return 0, err
			}
		}
	}
	return w.rev, nil
}

// walk is a way through a directory.
type walk struct {
	h     *Handler
	dir   string
	rev   int64 // after the first step, that of all
	from  string
	limit int
	done  bool
}

func (w *walk) next(ctx context.Context) ([]store.KV, error) {
	kvs, next, rev, err := w.h.st.Page(ctx, w.dir, w.from, w.rev, w.limit)
	if err != nil {
		return nil, err
	}
	size := 0
	for _, kv := range kvs {
		size += len(kv.Value)
	}
	if size > 0 {
		w.limit = min(len(kvs)*stepBytes/size, 4*w.limit)
	}
	w.limit = min(max(w.limit, 1), mostKeys)
	w.from, w.rev, w.done = next, rev, next == ""
	return kvs, nil
}
