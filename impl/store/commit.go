package store

import (
	"context"
	"errors"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// A Rule says what a condition asks of its key. The zero value is ModIs.
type Rule uint8

// Rules of conditions.
const (
	// ModIs holds when the key's modification revision equals Mod; 0: it must
	// not exist.
	ModIs Rule = iota
	// Exists holds when the key exists, at whatever revision.
	Exists
	// Unwritten holds when the key was not written after revision Mod, or does not
	// exist.
	Unwritten
	// Quiet holds when no key of the directory Key was written after revision
	// Mod. Deletions go unnoticed.
	Quiet
)

// A Cond is a condition of a commit: the modification revision of Key must equal
// Mod; 0 means that the key must not exist. Rule can ask for something else.
type Cond struct {
	Key  string
	Mod  int64
	Rule Rule
}

func (c Cond) compare() clientv3.Cmp {
	switch c.Rule {
	case Exists:
		return clientv3.Compare(clientv3.CreateRevision(c.Key), ">", 0)
	case Unwritten:
		return clientv3.Compare(clientv3.ModRevision(c.Key), "<", c.Mod+1)
	case Quiet:
		return clientv3.Compare(clientv3.ModRevision(directory(c.Key)), "<", c.Mod+1).WithPrefix()
	}
	return clientv3.Compare(clientv3.ModRevision(c.Key), "=", c.Mod)
}

// actual asks for the key that decides whether the condition holds.
func (c Cond) actual() clientv3.Op {
	if c.Rule == Quiet {
		return clientv3.OpGet(directory(c.Key), clientv3.WithPrefix(), clientv3.WithKeysOnly(),
			clientv3.WithMinModRev(c.Mod+1), clientv3.WithLimit(1))
	}
	return clientv3.OpGet(c.Key, clientv3.WithKeysOnly())
}

// broken reports whether what actual found breaks the condition.
func (c Cond) broken(mod int64) bool {
	switch c.Rule {
	case Exists:
		return mod == 0
	case Unwritten, Quiet:
		return mod > c.Mod
	}
	return mod != c.Mod
}

// An Op is one change of a commit: it puts Value at Key, or deletes Key.
type Op struct {
	Key    string
	Value  []byte
	Delete bool
	// Dir makes Delete delete everything in the directory Key instead.
	Dir bool
	// TTL, in whole seconds, is when a put key vanishes by itself; 0: never.
	TTL time.Duration
}

func (o Op) deletion() clientv3.Op {
	if o.Dir {
		return clientv3.OpDelete(directory(o.Key), clientv3.WithPrefix())
	}
	return clientv3.OpDelete(o.Key)
}

// Commit applies all ops in one transaction if every condition holds, and
// returns the revision of the cluster after it. The error is a *ConflictError
// when a condition failed and an *UnavailableError when etcd cannot be asked;
// Unknown of the latter says whether the change may be in place all the same.
// etcd limits the ops of one transaction (128 by default) and their size.
func (s *Store) Commit(ctx context.Context, conds []Cond, ops ...Op) (rev int64, err error) {
	began := time.Now()
	for {
		rev, err = s.commitOnce(ctx, conds, ops)
		var unavailable *UnavailableError
		if !errors.As(err, &unavailable) || unavailable.Unknown || !s.goesOn(ctx, began) {
			return rev, err
		}
	}
}

func (s *Store) commitOnce(ctx context.Context, conds []Cond, ops []Op) (int64, error) {
	if s.away() { // asked before anything is sent: so it certainly did not happen
		return 0, &UnavailableError{Op: "commit", Err: errAway}
	}
	m := s.members.forWrite()
	within, cancel := context.WithTimeout(clientv3.WithRequireLeader(ctx), commitTimeout)
	defer cancel()
	rev, err := commitAt(within, m.c, conds, ops)
	s.members.ended(ctx, m, err)
	return rev, err
}

// commitAt puts a commit to the member that c is of.
func commitAt(ctx context.Context, c *clientv3.Client, conds []Cond, ops []Op) (int64, error) {
	cmps := make([]clientv3.Cmp, len(conds))
	actual := make([]clientv3.Op, len(conds))
	for i, cond := range conds {
		cmps[i], actual[i] = cond.compare(), cond.actual()
	}
	then := make([]clientv3.Op, len(ops))
	for i, o := range ops {
		if o.Delete {
			then[i] = o.deletion()
		} else {
			opts, err := lease(ctx, c, o.TTL)
			if err != nil {
				return 0, err
			}
			then[i] = clientv3.OpPut(o.Key, string(o.Value), opts...)
		}
	}
	out := new(bool)
	ctx = context.WithValue(ctx, sent{}, out)
	resp, err := c.Txn(ctx).If(cmps...).Then(then...).Else(actual...).Commit()
	if err != nil {
		return 0, classify("commit", *out, err)
	}
	if resp.Succeeded {
		return resp.Header.Revision, nil
	}
	for i, cond := range conds {
		key, mod := cond.Key, int64(0)
		if kvs := resp.Responses[i].GetResponseRange().GetKvs(); len(kvs) > 0 {
			key, mod = string(kvs[0].Key), kvs[0].ModRevision
		}
		if cond.broken(mod) {
			return 0, &ConflictError{Key: key, Mod: mod}
		}
	}
	return 0, errors.New("commit: refused though every condition holds")
}

// lease grants a lease for a key that vanishes by itself. One that no key comes
// to use ends by itself too.
func lease(ctx context.Context, c *clientv3.Client, ttl time.Duration) ([]clientv3.OpOption, error) {
	if ttl == 0 {
		return nil, nil
	}
	l, err := c.Grant(ctx, int64(ttl/time.Second))
	if err != nil {
		return nil, classify("commit", false, err)
	}
	return []clientv3.OpOption{clientv3.WithLease(l.ID)}, nil
}
