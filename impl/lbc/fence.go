package lbc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/unilb/unilb/impl/obs"
	"github.com/unilb/unilb/impl/store"
)

// fenceID is an upstream without nodes that nothing refers to. Writing it makes
// an event below the APISIX prefix whose revision we know, and which nodes have
// in force only after everything before it.
const fenceID = "lbc"

// fence is called when everything through the Admin API is done. If a publisher
// that is gone deleted objects, nobody knows at which revision; then an event of
// ours, later than all of them, stands for them.
func (p *pass) fence(ctx context.Context) error {
	lost := slices.ContainsFunc(p.rec.Deletes, func(key string) bool {
		_, there := p.start[key]
		return !there
	})
	if !lost {
		return nil
	}
	key := dirUpstreams + "/" + fenceID
	kv, ok, _, err := p.s.store.Get(ctx, key)
	if err != nil {
		return err
	}
	if ok && !owned(kv.Value) {
		return &AdminError{Status: 409, Message: key + " exists and does not carry the label " + ownerLabel}
	}
	body, err := json.Marshal(apiUpstream{
		Name: fenceID, Type: "roundrobin", Scheme: "http", Nodes: []apiNode{},
		Labels: map[string]string{ownerLabel: ownerValue},
	})
	if err != nil {
		return err
	}
	rev, err := p.s.admin.put(ctx, adminPath(dirUpstreams, fenceID), body, kv.Mod)
	if err != nil {
		return err
	}
	for _, key := range p.rec.Deletes {
		dir, _ := splitKey(key)
		p.touch(dir, rev)
	}
	// Nodes see the event under the directory it is in, whatever it stands for.
	p.touch(dirUpstreams, rev)
	p.rec.Deletes = nil
	return nil
}

// finish ends the operations that waited for this publication. exists says
// whether the unit has a model; without one its record goes. deps are further
// revisions that the operations depend on.
func (p *pass) finish(ctx context.Context, exists bool, deps map[string]int64) error {
	if err := p.fence(ctx); err != nil {
		return err
	}
	if p.mod == 0 || len(p.rec.Ops) == 0 && len(p.rec.Deletes) == 0 && exists {
		return nil
	}
	if err := p.step(ctx, "finish"); err != nil {
		return err
	}
	ended, ops, err := p.endOperations(ctx, func(o *opRecord, created int64) {
		o.State, o.Error = statePublished, ""
		o.Touched = make(map[string]int64)
		for _, touched := range []map[string]int64{p.touched, deps} {
			for dir, rev := range touched {
				o.Touched[dir] = max(o.Touched[dir], rev)
			}
		}
		o.touchOwn(created)
		o.addKeys(p.keys)
	})
	if err != nil {
		return err
	}
	return p.end(ctx, exists, ended, ops)
}

// end commits the end of operations and of the unit's publication.
func (p *pass) end(ctx context.Context, exists bool, ended []opRecord, ops []store.Op) error {
	p.rec.Ops, p.rec.Deletes, p.rec.By = nil, nil, ""
	var rev int64
	var err error
	if exists {
		rev, err = p.commit(ctx, nil, nil, ops...)
	} else {
		ops = append(ops, store.Op{Key: p.u.key(), Delete: true})
		if rev, err = p.s.store.Commit(ctx, []store.Cond{{Key: p.u.key(), Mod: p.mod}}, ops...); err != nil {
			err = p.stale(ctx, err)
		}
	}
	if err != nil {
		return err
	}
	for _, o := range ended {
		p.s.ops.wrote(o.key(), o.encode(), rev)
		if o.State == statePublished {
			p.s.startTracking(o.ID)
		}
		p.s.log.Info("operation ended publication", obs.Op, o.ID, "state", o.State, obs.Rev, rev)
	}
	return nil
}

// endOperations returns the unit's pending operations as edit left them.
func (p *pass) endOperations(ctx context.Context, edit func(o *opRecord, created int64)) ([]opRecord, []store.Op, error) {
	var ended []opRecord
	var ops []store.Op
	for _, id := range p.rec.Ops {
		kv, ok, _, err := p.s.store.Get(ctx, operationPrefix+id)
		if err != nil {
			return nil, nil, err
		}
		if !ok {
			continue
		}
		var o opRecord
		if err := json.Unmarshal(kv.Value, &o); err != nil {
			return nil, nil, fmt.Errorf("decode operation %s: %w", id, err)
		}
		edit(&o, kv.Create)
		ended = append(ended, o)
		ops = append(ops, store.Op{Key: o.key(), Value: o.encode()})
	}
	return ended, ops, nil
}

// explain tells in the operations that wait for a publication why they still do.
// The end of the publication clears it.
func (s *Service) explain(ctx context.Context, p *pass, cause error) {
	text := cause.Error()
	if len(text) > maxErrorLength {
		text = strings.ToValidUTF8(text[:maxErrorLength], "")
	}
	for _, id := range p.rec.Ops {
		o, mod, err := s.operation(ctx, id)
		if err != nil || o.State != statePublishing || o.Error == text {
			continue
		}
		o.Error = text
		if err := s.saveOperation(ctx, o, mod); err != nil && ctx.Err() == nil {
			s.log.Warn("cause of a wait not recorded", obs.Op, id, obs.Err, err)
			return
		}
	}
}

// fail ends the unit's operations as failed and reports whether that could be
// written. The model stays as it is: the next change of the unit, and the
// keeper, try again.
func (s *Service) fail(ctx context.Context, p *pass, cause error) bool {
	if p == nil || p.mod == 0 || len(p.rec.Ops) == 0 {
		return true // nobody waits for it
	}
	ended, ops, err := p.endOperations(ctx, func(o *opRecord, _ int64) {
		o.State, o.Error = stateFailed, cause.Error()
	})
	if err == nil {
		deletes := p.rec.Deletes
		p.rec.Ops, p.rec.By = nil, ""
		p.rec.Deletes = deletes // still true
		var rev int64
		if rev, err = p.commit(ctx, nil, nil, ops...); err == nil {
			for _, o := range ended {
				s.ops.wrote(o.key(), o.encode(), rev)
			}
			s.log.Error("publication failed", "unit", p.u.String(), obs.Err, cause)
			return true
		}
	}
	if !errors.Is(err, errStale) && ctx.Err() == nil {
		s.log.Warn("failure not recorded", "unit", p.u.String(), obs.Err, err)
	}
	return false
}
