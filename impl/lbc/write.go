package lbc

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"github.com/unilb/unilb/impl/obs"
	"github.com/unilb/unilb/impl/store"
	"github.com/unilb/unilb/impl/vpc"
)

// A change is one request to change the model.
type change struct {
	ref    ref
	object object // nil: delete
	// match, when set, is the modification revision that the resource must
	// have; 0: it must not exist.
	match *int64
}

// apply makes a change: checks it against the whole model and commits it on the
// condition that the model is still the one it was checked against.
func (s *Service) apply(ctx context.Context, c change) (opRecord, error) {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	if err := s.Loaded(ctx); err != nil {
		return opRecord{}, &store.UnavailableError{Op: "read the model", Err: err}
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	op := newOperation("put", c.ref, time.Now())
	if c.object == nil {
		op.Action = "delete"
	}
	current := false
	for attempt := 1; ; attempt++ {
		seen, rev, err := s.applyOnce(ctx, &op, c)
		if err == nil {
			s.accepted(ctx, &op, rev)
			return op, nil
		}
		var lost *store.ConflictError
		var away *store.UnavailableError
		var refusal *RequestError
		switch {
		case attempt == writeAttempts:
			return opRecord{}, err
		case errors.As(err, &refusal) && !current:
			// The model may lag behind a change that another replica has already
			// answered for: only one that is current may refuse.
			if cerr := s.catchUp(ctx); cerr != nil {
				return opRecord{}, cerr
			}
			current = true
		case errors.As(err, &lost):
			// Whoever won is about to show in the model.
			if s.until(ctx, func(_ *Model, at int64) bool { return at > seen }) != nil {
				return opRecord{}, err
			}
		case errors.As(err, &away):
			if away.Unknown {
				// The commit may be in place: the operation's key tells.
				if kv, ok, _, gerr := s.store.Get(ctx, op.key()); gerr == nil && ok {
					s.accepted(ctx, &op, kv.Create)
					return op, nil
				}
			}
			// An election takes a second or two.
			if !sleep(ctx, writePause) {
				return opRecord{}, err
			}
		default:
			return opRecord{}, err
		}
	}
}

// catchUp waits until the model has every change that was committed before the
// call.
func (s *Service) catchUp(ctx context.Context) error {
	head, _, _, err := s.store.Get(ctx, headKey)
	if err != nil {
		return err
	}
	return s.until(ctx, func(m *Model, _ int64) bool { return m.head >= head.Mod })
}

// accepted notes a change that was committed at rev.
func (s *Service) accepted(ctx context.Context, op *opRecord, rev int64) {
	s.ops.wrote(op.key(), op.encode(), rev)
	if op.State == statePublished {
		s.startTracking(op.ID)
		op.touchOwn(rev)
	}
	s.log.Info("change accepted", obs.Op, op.ID, "action", op.Action, "resource", op.Resource, obs.Rev, rev)
	// The next change would be refused without this one.
	_ = s.until(ctx, func(_ *Model, at int64) bool { return at >= rev })
}

// applyOnce returns the revision of the model it worked with, and that of the
// commit.
func (s *Service) applyOnce(ctx context.Context, op *opRecord, c change) (seen, rev int64, err error) {
	p := s.policy()
	s.mu.RLock()
	seen = s.rev
	conds, ops, err := s.model.commit(op, c, s.instance, p)
	s.mu.RUnlock()
	if err != nil {
		return seen, 0, err
	}
	rev, err = s.store.Commit(ctx, conds, ops...)
	return seen, rev, err
}

// commit checks a change and returns the commit that makes it.
func (m *Model) commit(op *opRecord, c change, by string, p policy) ([]store.Cond, []store.Op, error) {
	key := c.ref.key()
	if c.match != nil && *c.match != m.mods[key] {
		return nil, nil, &RequestError{
			Status: http.StatusPreconditionFailed,
			Reason: c.ref.String() + " is at revision " + strconv.FormatInt(m.mods[key], 10),
		}
	}
	conds := []store.Cond{{Key: headKey, Mod: m.head}}
	ops := []store.Op{{Key: headKey, Value: []byte(`{"op":"` + op.ID + `"}`)}}
	if c.object == nil {
		if err := m.checkDelete(c.ref, p); err != nil {
			return nil, nil, err
		}
		ops = append(ops, store.Op{Key: key, Delete: true})
	} else {
		if err := m.checkPut(c.ref, c.object, p); err != nil {
			return nil, nil, err
		}
		value, err := json.Marshal(c.object)
		if err != nil {
			return nil, nil, err
		}
		ops = append(ops, store.Op{Key: key, Value: value})
	}
	ops = append(ops, m.wire(op, c)...)
	op.Keys = m.keysOf(c)

	u, ok := unitOf(c.ref)
	if !ok {
		op.State = statePublished
	} else {
		op.State = statePublishing
		mod := m.mods[u.key()]
		rec := m.units[u].next(mod)
		if len(rec.Ops) >= maxPendingPerUnit {
			return nil, nil, &RequestError{
				Status: http.StatusServiceUnavailable,
				Reason: strconv.Itoa(len(rec.Ops)) + " changes of " + u.String() + " wait to be published",
			}
		}
		rec.By = by
		if !slices.Contains(rec.Ops, op.ID) { // there already: an earlier attempt was applied after all
			rec.Ops = append(slices.Clip(rec.Ops), op.ID)
		}
		conds = append(conds, store.Cond{Key: u.key(), Mod: mod})
		ops = append(ops, store.Op{Key: u.key(), Value: rec.encode()})
	}
	return conds, append(ops, store.Op{Key: op.key(), Value: op.encode()}), nil
}

// wire returns what a change of a VPC or port means to agents, who read these
// objects as they are. It is part of the change's own commit.
func (m *Model) wire(op *opRecord, c change) []store.Op {
	var key string
	var value any
	switch c.ref.kind {
	case kindVPC:
		op.Own = []string{dirNetworks}
		key = vpc.NetworkKey(c.ref.names[0])
		if v, ok := c.object.(*VPC); ok {
			value = vpc.Network{Name: v.ID, VNI: v.VNI, CIDR: v.CIDR}
		}
	case kindPort:
		op.Own = []string{dirPorts}
		vni := m.vpcs[c.ref.names[0]].VNI
		ip, _ := netip.ParseAddr(c.ref.names[1])
		key = vpc.PortKey(vni, ip)
		if p, ok := c.object.(*Port); ok {
			value = p.wire(vni, c.ref)
		}
	default:
		return nil
	}
	if c.object == nil {
		return []store.Op{{Key: key, Delete: true}}
	}
	return []store.Op{{Key: key, Value: encode(key, value).Value}}
}

// unitOf returns the unit that a change of a resource dirties. A VPC has nothing
// to publish beyond the change's own commit.
func unitOf(r ref) (unit, bool) {
	switch r.kind {
	case kindLB, kindListener, kindRule:
		return unit{kindLB, r.names[0]}, true
	case kindTG:
		return unit{kindTG, r.names[0]}, true
	case kindPort:
		// Also without a unique IP: a target group may be about to get one and
		// look at the port as it was.
		return unit{kindPort, r.names[0] + "/" + r.names[1]}, true
	}
	return unit{}, false
}
