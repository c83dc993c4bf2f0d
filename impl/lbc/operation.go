package lbc

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/unilb/unilb/impl/obs"
	"github.com/unilb/unilb/impl/store"
)

// The states of an operation.
const (
	statePublishing = "publishing" // accepted; not all of it is in etcd yet
	statePublished  = "published"  // in etcd; not in force on every node yet
	stateInForce    = "in_force"
	stateFailed     = "failed"
)

// opRecord is an operation as it is stored.
type opRecord struct {
	ID       string `json:"id"`
	Action   string `json:"action"` // put or delete
	Resource string `json:"resource"`
	State    string `json:"state"`
	Error    string `json:"error,omitempty"`
	Created  int64  `json:"created"` // Unix time, ms
	// Own lists the directories that the commit of the change itself touched,
	// at the revision at which this record was created.
	Own []string `json:"own,omitempty"`
	// Keys are the objects that the change is about, at most maxOperationKeys: a
	// node that refuses one of them does not have it in force.
	Keys []string `json:"keys,omitempty"`
	// Touched is, per directory, the revision that must be in force.
	Touched map[string]int64 `json:"touched,omitempty"`
	// Reached is, for each node known to have everything in force, how long it
	// took, ms.
	Reached map[string]int64 `json:"reached,omitempty"`
}

func (o opRecord) key() string { return operationPrefix + o.ID }

// touchOwn notes that the change's own commit was at rev.
func (o *opRecord) touchOwn(rev int64) {
	if o.Touched == nil {
		o.Touched = make(map[string]int64)
	}
	for _, dir := range o.Own {
		o.Touched[dir] = max(o.Touched[dir], rev)
	}
}

func (o opRecord) encode() []byte {
	b, err := json.Marshal(o)
	if err != nil {
		panic("encode operation: " + err.Error()) // strings and integers always encode
	}
	return b
}

func (o opRecord) created() time.Time { return time.UnixMilli(o.Created) }

// newOperation begins an operation. Its id grows with time, so that the oldest
// operations come first in etcd.
func newOperation(action string, r ref, now time.Time) opRecord {
	var random [5]byte
	_, _ = rand.Read(random[:]) // documented to never fail
	return opRecord{
		ID:     fmt.Sprintf("%012x-%s", now.UnixMilli(), hex.EncodeToString(random[:])),
		Action: action, Resource: r.String(), State: statePublishing, Created: now.UnixMilli(),
	}
}

// operation reads an operation: from the mirror, or from etcd when the mirror
// does not have it yet.
func (s *Service) operation(ctx context.Context, id string) (opRecord, int64, error) {
	key := operationPrefix + id
	c := s.ops.get(key)
	if c.mod == 0 {
		kv, ok, rev, err := s.store.Get(ctx, key)
		if err != nil {
			return opRecord{}, 0, err
		}
		if !ok {
			return opRecord{}, 0, &RequestError{Status: http.StatusNotFound, Reason: fmt.Sprintf("operation %q does not exist, or is forgotten", id)}
		}
		s.ops.read(key, kv, ok, rev)
		c = cell{value: kv.Value, mod: kv.Mod}
	}
	var o opRecord
	if err := json.Unmarshal(c.value, &o); err != nil {
		return opRecord{}, 0, fmt.Errorf("decode operation %s: %w", id, err)
	}
	return o, c.mod, nil
}

// saveOperation replaces an operation that is at revision mod. A conflict is
// not an error: somebody else knew more.
func (s *Service) saveOperation(ctx context.Context, o opRecord, mod int64) error {
	value := o.encode()
	rev, err := s.store.Commit(ctx, []store.Cond{{Key: o.key(), Mod: mod}}, store.Op{Key: o.key(), Value: value})
	var conflict *store.ConflictError
	switch {
	case errors.As(err, &conflict):
		return nil
	case err != nil:
		return err
	}
	s.ops.wrote(o.key(), value, rev)
	return nil
}

// pruneOperations forgets the oldest operations beyond the limits. An operation
// that is being published is kept.
func (s *Service) pruneOperations(ctx context.Context, now time.Time) {
	cells := s.ops.in("*")
	keys := make([]string, 0, len(cells))
	for key := range cells {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	oldest := fmt.Sprintf("%s%012x", operationPrefix, now.Add(-maxOperationAge).UnixMilli())
	const perCommit = 100
	var ops []store.Op
	for i, key := range keys {
		if len(ops) == perCommit || len(keys)-i <= maxOperations && key >= oldest {
			break
		}
		if !strings.Contains(string(cells[key].value), `"state":"`+statePublishing+`"`) {
			ops = append(ops, store.Op{Key: key, Delete: true})
		}
	}
	if len(ops) == 0 {
		return
	}
	if _, err := s.store.Commit(ctx, nil, ops...); err != nil && ctx.Err() == nil {
		s.log.Warn("old operations not removed", obs.Err, err)
	}
}
