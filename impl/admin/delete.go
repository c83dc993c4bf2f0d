package admin

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/unilb/unilb/impl/store"
)

const (
	// deletePatience bounds how long a delete begins again because others write
	// objects that might use what it deletes, or because answers of etcd are lost.
	deletePatience = 10 * time.Second
	// deletePause is the longest pause between two tries.
	deletePause = 20 * time.Millisecond
)

// deletion is one DELETE over its tries.
type deletion struct {
	*request
	key    string
	want   int64 // If-Match
	insist bool  // If-Match was given
	force  bool  // users are not asked for
	// seen is the revision up to which no user of the object was written; 0:
	// nobody has looked yet.
	seen int64
	// lost is the object that a try may have deleted whose answer was lost.
	lost *store.KV
}

// delete removes an object that nobody uses; ?force=true does not ask.
func (h *Handler) delete(req *request) (*answer, *failure) {
	if req.id == "" {
		return nil, bad(fmt.Sprintf("missing %s id", req.res.kind))
	}
	d := &deletion{request: req, key: h.key(req.res, req.id), force: req.URL.Query().Get("force") == "true"}
	var f *failure
	if d.want, d.insist, f = ifMatch(req.Request); f != nil {
		return nil, f
	}
	for began := time.Now(); ; {
		a, retry, f := h.tryDelete(d)
		if retry && time.Since(began) < deletePatience && pause(req.Context(), rand.N(deletePause)) {
			continue
		}
		return a, f
	}
}

// tryDelete reports retry when it should be called again; the failure is then
// the answer to give if it cannot be.
func (h *Handler) tryDelete(d *deletion) (a *answer, retry bool, f *failure) {
	old, exists, rev, err := h.st.Get(d.Context(), d.key)
	if err != nil {
		return nil, false, unavailable(err)
	}
	if d.lost != nil && old.Create != d.lost.Create {
		// It is gone, or was gone before somebody else created it anew: that
		// one is not ours to delete.
		return d.done(rev), false, nil
	}
	if d.insist && old.Mod != d.want {
		return nil, false, mismatch(d.key, d.want, old.Mod)
	}
	conds := []store.Cond{{Key: d.key, Mod: old.Mod}}
	if !d.force {
		if f := h.unused(d); f != nil {
			return nil, false, f
		}
		for _, dir := range h.userDirs(d.res) {
			conds = append(conds, store.Cond{Key: dir, Mod: d.seen, Rule: store.Quiet})
		}
	}
	if !exists {
		return nil, false, keyNotFound()
	}
	rev, err = h.commit(d.Context(), conds, store.Op{Key: d.key, Delete: true})
	var conflict *store.ConflictError
	var away *store.UnavailableError
	switch {
	case errors.As(err, &conflict):
		return nil, true, lostRace()
	case errors.As(err, &away) && away.Unknown:
		d.lost = &old
		return nil, true, unavailable(err)
	case err != nil:
		return nil, false, unavailable(err)
	}
	return d.done(rev), false, nil
}

func (d *deletion) done(rev int64) *answer {
	return &answer{code: http.StatusOK, rev: rev, body: struct {
		Deleted string `json:"deleted"`
		Key     string `json:"key"`
	}{"1", d.key}}
}

// pause waits for t and reports whether ctx still lives.
func pause(ctx context.Context, t time.Duration) bool {
	timer := time.NewTimer(t)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
