package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/unilb/unilb/impl/apisix"
	"github.com/unilb/unilb/impl/store"
)

// maxLost bounds how often one write is tried again because its answer was lost.
const maxLost = 3

// store writes obj in one transaction: the key must be at revision mod, and
// whatever obj refers to must exist. It reports retry when the former failed.
func (h *Handler) store(req *request, key string, mod int64, obj *apisix.Object, code int) (a *answer, retry bool, f *failure) {
	obj, f = plainReferences(req.res, obj)
	if f != nil {
		return nil, false, f
	}
	sealed, err := h.keyring.Seal(obj, req.res.keys)
	if err != nil {
		return nil, false, bad("invalid configuration: " + err.Error())
	}
	value, err := sealed.Encode()
	if err != nil {
		return nil, false, bad("invalid configuration: " + err.Error())
	}
	life, f := ttl(req.Request)
	if f != nil {
		return nil, false, f
	}
	conds, f := h.references(req.Context(), req.res, obj)
	if f != nil {
		return nil, false, f
	}
	conds = append(conds, store.Cond{Key: key, Mod: mod})
	rev, err := h.commitValue(req.Context(), conds, mod, store.Op{Key: key, Value: value, TTL: life})
	var conflict *store.ConflictError
	switch {
	case errors.As(err, &conflict):
		return nil, true, nil
	case err != nil:
		return nil, false, unavailable(err)
	}
	return &answer{code: code, body: written{Key: key, Value: shown(req.res, value)}, rev: rev}, false, nil
}

// commitValue commits one put whose conditions hold the key at revision mod.
// When the answer was lost, for example with the leader that should have given
// it, it looks whether the value is there, and otherwise tries again: because of
// the condition the value cannot be written twice.
func (h *Handler) commitValue(ctx context.Context, conds []store.Cond, mod int64, op store.Op) (int64, error) {
	lost := false
	for n := 0; ; n++ {
		rev, err := h.commit(ctx, conds, op)
		var unavailable *store.UnavailableError
		var conflict *store.ConflictError
		switch {
		case errors.As(err, &unavailable) && unavailable.Unknown && n < maxLost:
			lost = true
		case errors.As(err, &conflict) && lost:
		default:
			return rev, err
		}
		kv, ok, _, gerr := h.st.Get(ctx, op.Key)
		switch {
		case gerr != nil:
			return 0, err
		case ok && kv.Mod != mod && bytes.Equal(kv.Value, op.Value):
			return kv.Mod, nil
		case kv.Mod != mod || conflict != nil:
			return 0, &store.ConflictError{Key: op.Key, Mod: kv.Mod}
		}
	}
}

// commitTimeout bounds a transaction. It does not end with the request: a client
// that hangs up must not decide whether a write is half way.
const commitTimeout = 15 * time.Second

func (h *Handler) commit(ctx context.Context, conds []store.Cond, ops ...store.Op) (int64, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitTimeout)
	defer cancel()
	return h.st.Commit(ctx, conds, ops...)
}

// plainReferences spells references that are integers without fraction or
// exponent (1e1 becomes 10), so that a text search for an id finds them.
func plainReferences(res *resource, obj *apisix.Object) (*apisix.Object, *failure) {
	set := map[string]any{}
	for _, ref := range res.refs {
		if n, ok := obj.Value(ref.field).(json.Number); ok && apisix.IDText(n) != n.String() {
			set[ref.field] = json.Number(apisix.IDText(n))
		}
	}
	if len(set) == 0 {
		return obj, nil
	}
	return with(obj, set)
}

// references checks that what obj refers to exists, and returns the conditions
// under which this stays true.
func (h *Handler) references(ctx context.Context, res *resource, obj *apisix.Object) ([]store.Cond, *failure) {
	var conds []store.Cond
	for _, ref := range res.refs {
		v := valueAt(obj.Tree(), ref.field)
		if v == nil {
			continue
		}
		id := apisix.IDText(v)
		key := h.dir(ref.dir) + id
		kv, ok, _, err := h.st.Get(ctx, key)
		if err != nil {
			return nil, unavailable(err)
		}
		if !ok {
			return nil, bad(fmt.Sprintf("failed to fetch %s info by %s id [%s], response code: 404", ref.what, ref.what, id))
		}
		if ref.fits != nil {
			tree, _ := isObject(kv.Value)
			if wrong := ref.fits(tree); wrong != "" {
				return nil, bad(fmt.Sprintf("failed to fetch %s info by %s id [%s], %s", ref.what, ref.what, id, wrong))
			}
		}
		conds = append(conds, store.Cond{Key: key, Rule: store.Exists})
	}
	return conds, nil
}
