package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/unilb/unilb/impl/apisix"
	"github.com/unilb/unilb/impl/apisix/plugin"
	"github.com/unilb/unilb/impl/store"
)

// maxLost bounds how often one write is tried again because its answer was lost.
const maxLost = 3

// A place is where an object is written: a key, with the modification revision (0:
// none) that it had when the cluster was at revision read, and what was there.
type place struct {
	key       string
	mod, read int64
	old       []byte
}

// store writes obj in one transaction: the place must be as it was, whatever obj
// refers to must exist, and nobody may have what only one object can have. It reports
// retry when one of these does not hold any longer.
func (h *Handler) store(req *request, at address, was place, obj *apisix.Object, code int) (a *answer, retry bool, f *failure) {
	obj, f = plainReferences(at.res, obj)
	if f != nil {
		return nil, false, f
	}
	sealed, err := h.sealed(at.res, obj)
	if err != nil {
		return nil, false, bad("invalid configuration: " + err.Error())
	}
	value := sealed.Encode()
	life, f := ttl(req.Request)
	if f != nil {
		return nil, false, f
	}
	conds, also, f := h.alone(req.Context(), at, obj, max(was.read, req.seen))
	if f != nil {
		return nil, false, f
	}
	refs, f := h.references(req, at, obj)
	if f != nil {
		return nil, false, f
	}
	also = append(also, h.referenceLocks(at, obj.Tree(), was.old)...)
	conds = append(append(conds, refs...), store.Cond{Key: was.key, Mod: was.mod})
	rev, err := h.commitValue(req.Context(), conds, was, store.Op{Key: was.key, Value: value, TTL: life}, also...)
	var conflict *store.ConflictError
	switch {
	case errors.As(err, &conflict):
		req.failed, req.seen = true, conflict.Mod
		return nil, true, nil
	case err != nil:
		return nil, false, unavailable(err)
	}
	shown := json.RawMessage(value)
	if len(at.res.hidden) > 0 || plugin.Secrets(obj.Tree(), at.res.plugins) != nil {
		shown = h.shown(at.res, value)
	}
	return &answer{code: code, body: written{Key: was.key, Value: shown}, rev: rev, key: was.key}, false, nil
}

// commitValue commits one put, and what goes with it, whose conditions hold its
// place. When the answer was lost, for example with the leader that should have given
// it, it looks what became of the place first: an answer must not tell the revision of a later write, and a
// value that others have replaced or deleted since must not be written twice.
// Otherwise it tries again. What the first try has written may still come: so an error of
// a later one does not count.
func (h *Handler) commitValue(ctx context.Context, conds []store.Cond, at place, op store.Op, also ...store.Op) (int64, error) {
	var lost error
	for n := 0; ; n++ {
		rev, err := h.commit(ctx, conds, append([]store.Op{op}, also...)...)
		var unavailable *store.UnavailableError
		var conflict *store.ConflictError
		switch {
		case errors.As(err, &unavailable) && unavailable.Unknown && n < maxLost:
			lost = err
		case errors.As(err, &conflict) && lost != nil:
		case err != nil && lost != nil:
			return 0, lost
		default:
			return rev, err
		}
		first, ok, ferr := h.firstSince(ctx, at)
		switch {
		case ferr != nil:
			return 0, lost
		case ok && first.Create != 0 && bytes.Equal(first.Value, op.Value):
			return first.Mod, nil // ours, or the same of somebody else: who reads it cannot tell
		case ok:
			return 0, &store.ConflictError{Key: op.Key, Mod: first.Mod}
		case conflict != nil:
			return 0, conflict
		}
	}
}

// firstSince returns what first happened to a place since it was read. When etcd has
// compacted that away meanwhile, what is there now is all that is known.
func (h *Handler) firstSince(ctx context.Context, at place) (first store.KV, ok bool, err error) {
	kv, _, now, err := h.st.Get(ctx, at.key)
	if err != nil {
		return store.KV{}, false, err
	}
	first, ok, err = h.st.FirstChange(ctx, at.key, at.read, now)
	if errors.Is(err, store.ErrCompacted) {
		return kv, kv.Mod != at.mod, nil
	}
	return first, ok, err
}

// commitTimeout bounds a transaction. It does not end with the request: a client
// that hangs up must not decide whether a write is half way.
const commitTimeout = 15 * time.Second

func (h *Handler) commit(ctx context.Context, conds []store.Cond, ops ...store.Op) (int64, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitTimeout)
	defer cancel()
	return h.st.Commit(ctx, conds, ops...)
}
