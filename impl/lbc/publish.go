package lbc

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/unilb/unilb/impl/obs"
	"github.com/unilb/unilb/impl/store"
	"github.com/unilb/unilb/impl/vpc"
)

// How a publication repeats itself.
const (
	passPause    = 20 * time.Millisecond // doubles
	passPauseMax = 2 * time.Second
	// catchUp bounds how long a pass that was refused waits to see why.
	catchUp = 500 * time.Millisecond
	// passTimeout bounds one pass, and by that the age of what it writes. It is
	// far below any quarantine; see the third fence at pass.
	passTimeout = 30 * time.Second
	// refusedTries is how often a refusal by the Admin API must be repeated,
	// from fresh knowledge, before it is the operation's failure.
	refusedTries = 3
	// exhaustedTries is likewise for an empty pool: a quarantine may end.
	exhaustedTries = 8
	// explainedTries is how often a publication must fail before its operations,
	// which go on, say why: many a cause is gone at the next attempt.
	explainedTries = 3
)

// A pass is one attempt to bring what is published of a unit in line with the
// model. It may be repeated at any time, by any replica, also by several at
// once. Three fences keep an older pass from undoing a newer one:
//
// What we write to etcd ourselves is committed on the condition that the unit's
// record is unchanged, and every change of the unit's model and every such
// commit changes it.
//
// What the Admin API writes for us is conditional on the object's revision as
// it was known *before* the model was read. Whoever wrote the object since may
// have seen a newer model, and the write is refused; whoever wrote it before saw
// an older one or the same.
//
// That leaves an object that did not exist before and does not exist at the time
// of the write, but was created and deleted in between by somebody with a newer
// model. Nothing but time tells: a pass ends after passTimeout, and the keeper
// looks again at each unit whose objects changed (see keep).
type pass struct {
	s     *Service
	u     unit
	start map[string]cell // our objects below the APISIX prefix, before the model was read
	had   map[string]cell // our listeners, likewise
	mod   int64           // of the unit's record; 0: there is none
	rec   unitRecord
	// touched is what the publication touched so far, by this pass or before.
	touched map[string]int64
	// keys are mappings that the publication is about.
	keys []string
}

// publish brings a unit in line with the model, trying until it succeeds, fails
// for good, or ctx ends.
func (s *Service) publish(ctx context.Context, u unit) {
	pause, refused, failed := passPause, 0, 0
	for ctx.Err() == nil {
		pctx, cancel := context.WithTimeout(ctx, passTimeout)
		p, err := s.begin(pctx, u)
		if err == nil {
			err = p.run(pctx)
		}
		cancel()
		var refusal *AdminError
		var exhausted *vpc.PoolExhaustedError
		switch {
		case err == nil:
			return
		case errors.As(err, &refusal) && !refusal.inUse() && refusal.Status < 500:
			if refused++; refused >= refusedTries && s.fail(ctx, p, err) {
				return
			}
		case errors.As(err, &exhausted):
			if refused++; refused >= exhaustedTries && s.fail(ctx, p, err) {
				return
			}
		}
		if ctx.Err() != nil {
			return
		}
		if !errors.Is(err, errStale) {
			s.log.Warn("not published yet", "unit", u.String(), obs.Err, err)
			if failed++; failed >= explainedTries {
				s.explain(ctx, p, err)
			}
		}
		if !sleep(ctx, pause) {
			return
		}
		pause = min(2*pause, passPauseMax)
	}
}

// begin collects what a pass works with, in the order that its fences need.
func (s *Service) begin(ctx context.Context, u unit) (*pass, error) {
	p := &pass{s: s, u: u, start: s.apisix.in(u.String()), had: s.listeners.in(u.String())}
	kv, ok, _, err := s.store.Get(ctx, u.key())
	if err != nil {
		return p, err
	}
	if ok {
		if p.rec, err = parseUnitRecord(kv.Value); err != nil {
			return p, err
		}
		p.mod = kv.Mod
	}
	p.touched = p.rec.touched(p.mod)
	head, _, _, err := s.store.Get(ctx, headKey)
	if err != nil {
		return p, err
	}
	// The watch delivers the whole state directory in the order of revisions.
	least := max(head.Mod, p.mod)
	return p, s.until(ctx, func(m *Model, rev int64) bool { return m.head >= head.Mod && rev >= least })
}

func (p *pass) run(ctx context.Context) error {
	switch p.u.kind {
	case kindLB:
		return p.loadBalancer(ctx)
	case kindTG:
		return p.targetGroup(ctx)
	}
	return p.port(ctx)
}

// step announces a step of the publication.
func (p *pass) step(ctx context.Context, name string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return p.s.step(ctx, p.u, name)
}

// commit writes to etcd under the first fence. dirs are the directories of
// other systems that the ops touch.
func (p *pass) commit(ctx context.Context, dirs []string, conds []store.Cond, ops ...store.Op) (int64, error) {
	rec := p.rec.next(p.mod)
	maps.Copy(rec.Touched, p.touched)
	rec.Now = dirs
	conds = append(conds, store.Cond{Key: p.u.key(), Mod: p.mod})
	ops = append(ops, store.Op{Key: p.u.key(), Value: rec.encode()})
	rev, err := p.s.store.Commit(ctx, conds, ops...)
	if err != nil {
		return 0, p.stale(ctx, err)
	}
	p.mod, p.rec = rev, rec
	for _, dir := range dirs {
		p.touched[dir] = rev
	}
	return rev, nil
}

// stale turns a lost condition into errStale, once what won is likely known.
func (p *pass) stale(ctx context.Context, err error) error {
	var lost *store.ConflictError
	if !errors.As(err, &lost) {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, catchUp)
	defer cancel()
	_ = p.s.until(ctx, func(m *Model, _ int64) bool { return m.mods[lost.Key] == lost.Mod || m.mods[lost.Key] > lost.Mod })
	return fmt.Errorf("%w: %w", errStale, err)
}

// follow waits until the model contains a commit of our own.
func (p *pass) follow(ctx context.Context, commit int64) error {
	return p.s.until(ctx, func(_ *Model, rev int64) bool { return rev >= commit })
}

// put brings one object below the APISIX prefix in line, under the second fence.
func (p *pass) put(ctx context.Context, o Object) error {
	dir, id := splitKey(o.Key)
	was := p.start[o.Key]
	if was.mod > 0 && sameValue(was.value, o.Value) {
		return p.leave(ctx, o.Key, was.mod)
	}
	if was.mod > 0 && !owned(was.value) {
		return &AdminError{Status: 409, Message: o.Key + " exists and does not carry the label " + ownerLabel}
	}
	if err := p.step(ctx, "put "+o.Key); err != nil {
		return err
	}
	rev, err := p.s.admin.put(ctx, adminPath(dir, id), o.Value, was.mod)
	if err != nil {
		return p.refresh(ctx, o.Key, err)
	}
	// The Admin API adds id and timestamps, which do not matter to sameValue.
	p.s.apisix.wrote(o.Key, o.Value, rev)
	p.start[o.Key] = cell{value: o.Value, mod: rev}
	p.touch(dir, rev)
	return nil
}

// leave leaves an object that is as the model wants it at revision mod, if that is its
// revision: a mirror whose watch is behind remembers what another replica has replaced,
// and no write is refused where there is none.
func (p *pass) leave(ctx context.Context, key string, mod int64) error {
	kv, ok, rev, err := p.s.store.Get(ctx, key)
	if err != nil {
		return err
	}
	if kv.Mod != mod {
		p.s.apisix.read(key, kv, ok, rev)
		return fmt.Errorf("%s is not as it was: %w", key, errStale)
	}
	dir, _ := splitKey(key)
	p.touch(dir, mod)
	return nil
}

// adminPath is the resource of a directory below the APISIX prefix.
func adminPath(dir, id string) string { return dir[len("/apisix"):] + "/" + id }

// refresh reads an object anew after a write of it was refused or its outcome
// is not known, so that the next pass starts from the truth.
func (p *pass) refresh(ctx context.Context, key string, err error) error {
	_ = p.refreshIn(ctx, p.s.apisix, key) // err says what is wrong already
	return err
}

func (p *pass) touch(dir string, rev int64) { p.touched[dir] = max(p.touched[dir], rev) }

// removeAll deletes objects below the APISIX prefix that the unit no longer
// has. Before the first it notes in the unit's record which, because a
// revision of a deletion is lost with whoever made it.
func (p *pass) removeAll(ctx context.Context, dir string, keep map[string]bool) error {
	var doomed []string
	for _, key := range slices.Sorted(maps.Keys(p.start)) {
		if d, _ := splitKey(key); d == dir && !keep[key] && owned(p.start[key].value) {
			doomed = append(doomed, key)
		}
	}
	var fresh []string
	for _, key := range doomed {
		if !slices.Contains(p.rec.Deletes, key) {
			fresh = append(fresh, key)
		}
	}
	if len(fresh) > 0 {
		p.rec.Deletes = append(slices.Clip(p.rec.Deletes), fresh...)
		if _, err := p.commit(ctx, nil, nil); err != nil {
			return err
		}
	}
	for _, key := range doomed {
		if err := p.remove(ctx, key); err != nil {
			return err
		}
	}
	return nil
}

func (p *pass) remove(ctx context.Context, key string) error {
	if err := p.step(ctx, "delete "+key); err != nil {
		return err
	}
	dir, id := splitKey(key)
	rev, found, err := p.s.admin.remove(ctx, adminPath(dir, id), p.start[key].mod)
	if err != nil {
		return p.refresh(ctx, key, err)
	}
	if found {
		p.s.apisix.wrote(key, nil, rev)
		p.touch(dir, rev)
		// Its revision is known; the note is dropped with the next commit.
		p.rec.Deletes = slices.DeleteFunc(slices.Clone(p.rec.Deletes), func(k string) bool { return k == key })
	} else {
		if err := p.refreshIn(ctx, p.s.apisix, key); err != nil {
			return err
		}
	}
	delete(p.start, key)
	return nil
}
