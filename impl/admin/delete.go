package admin

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/unilb/unilb/impl/apisix"
	"github.com/unilb/unilb/impl/store"
)

// retryPause is the longest pause between two tries of a write.
const retryPause = 20 * time.Millisecond

// deletion is one DELETE over its tries.
type deletion struct {
	*request
	key    string
	want   int64 // If-Match
	insist bool  // If-Match was given
	force  bool  // users are not asked for
	again  bool  // a try was in vain, because something it held was written
	// lost is the object that a try may have deleted whose answer was lost, as it
	// was at revision lostAt of the cluster, and unknown what that try has met.
	lost    *store.KV
	lostAt  int64
	unknown error
}

// delete removes an object that nobody uses; ?force=true does not ask.
func (h *Handler) delete(req *request) (*answer, *failure) {
	if req.id == "" {
		return nil, bad(fmt.Sprintf("missing %s id", req.res.kind))
	}
	d := &deletion{request: req, key: h.key(req.address), force: arguments(req.Request).Get("force") == "true"}
	var f *failure
	if d.want, d.insist, f = ifMatch(req.Request); f != nil {
		return nil, f
	}
	for began := time.Now(); ; {
		a, retry, f := h.tryDelete(d)
		if retry && time.Since(began) < writePatience && pause(req.Context(), rand.N(retryPause)) {
			continue
		}
		if f != nil && f.code == http.StatusServiceUnavailable && d.lost != nil {
			f = unavailable(d.unknown) // whatever the last try has met: that one may still come
		}
		return a, f
	}
}

// tryDelete reports retry when it should be called again; the failure is then
// the answer to give if it cannot be.
func (h *Handler) tryDelete(d *deletion) (a *answer, retry bool, f *failure) {
	old, exists, read, err := h.st.Get(d.Context(), d.key)
	if err != nil {
		return nil, false, unavailable(err)
	}
	if d.lost != nil && old.Create != d.lost.Create {
		gone, err := h.deleted(d, read)
		if err != nil {
			return nil, false, unavailable(err)
		}
		if gone != 0 {
			// If somebody has created it anew, that one is not ours to delete.
			return d.done("1", gone), false, nil
		}
		d.lost = nil // it was written first: no earlier try can have deleted it
	}
	if d.insist && old.Mod != d.want {
		return nil, false, mismatch(d.key, d.want, old.Mod)
	}
	conds := []store.Cond{{Key: d.key, Mod: old.Mod}}
	if !d.force {
		unused, f := h.unused(d, read)
		if f != nil {
			return nil, false, f
		}
		conds = append(conds, unused...)
	}
	if !exists {
		return h.alreadyGone(d)
	}
	ops := []store.Op{{Key: d.key, Delete: true}}
	if d.res.dir == "consumers" && d.within == "" {
		ops = append(ops, store.Op{Key: h.dir("consumers") + apisix.CredentialTail(d.id, ""), Delete: true, Dir: true})
	}
	rev, err := h.commit(d.Context(), conds, ops...)
	var conflict *store.ConflictError
	var away *store.UnavailableError
	switch {
	case errors.As(err, &conflict):
		d.again = true
		return nil, true, lostRace()
	case errors.As(err, &away) && away.Unknown:
		d.lost, d.lostAt, d.unknown = &old, read, err
		return nil, true, unavailable(err)
	case err != nil:
		return nil, false, unavailable(err)
	}
	return d.done("1", rev), false, nil
}

// alreadyGone is the answer about an object that is not there. A client that
// deletes a consumer and then its credentials must not fail because they went with
// the consumer.
func (h *Handler) alreadyGone(d *deletion) (*answer, bool, *failure) {
	if d.res != credentials {
		return nil, false, keyNotFound()
	}
	_, owned, _, err := h.st.Get(d.Context(), h.owner(d.address))
	switch {
	case err != nil:
		return nil, false, unavailable(err)
	case owned:
		return nil, false, keyNotFound()
	}
	return d.done("0", 0), false, nil
}

// deleted returns the revision at which the object of a lost try was deleted, and 0
// when something else happened to it first; now is a revision at which it is not
// there any more. A reader may have seen that it was gone from that revision on, and
// others may have written after it, so a later one must not be told. Whether the
// delete was ours or that of somebody else at the same time cannot be known, and
// makes no difference to the caller: both find that the object of this revision is
// gone. When etcd has compacted it away meanwhile, now is all that is known.
func (h *Handler) deleted(d *deletion, now int64) (int64, error) {
	first, ok, err := h.st.FirstChange(d.Context(), d.key, d.lostAt, now)
	switch {
	case errors.Is(err, store.ErrCompacted):
		return now, nil
	case err != nil:
		return 0, err
	case ok && first.Create == 0:
		return first.Mod, nil
	}
	return 0, nil
}

func (d *deletion) done(deleted string, rev int64) *answer {
	return &answer{code: http.StatusOK, rev: rev, key: d.key, body: removed{Deleted: deleted, Key: d.key}}
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
