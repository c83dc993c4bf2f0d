package store

import (
	"context"
	"errors"
	"strings"
	"time"

	"go.etcd.io/etcd/api/v3/mvccpb"
	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
)

// pageSize is the number of keys asked for at a time: far below the message
// limits of gRPC for objects of ordinary size, large enough that round trips do
// not matter.
const pageSize = 500

// Get returns one key. When it does not exist ok is false and rev is the
// revision at which it did not. The error is an *UnavailableError when etcd
// cannot be asked.
func (s *Store) Get(ctx context.Context, key string) (kv KV, ok bool, rev int64, err error) {
	began := time.Now()
	resp := s.get(ctx, began, key)
	if resp == nil {
		err = s.askSince(ctx, began, readKey, func(ctx context.Context, c *clientv3.Client) error {
			resp, err = c.Get(ctx, key)
			return err
		})
		if err != nil {
			return KV{}, false, 0, err
		}
	}
	if len(resp.Kvs) == 0 {
		return KV{}, false, resp.Header.Revision, nil
	}
	return fromPB(resp.Kvs[0]), true, resp.Header.Revision, nil
}

// List returns everything in the directory prefix, in the order of keys, as it
// was at revision rev. A missing final slash of prefix is added, so /apisix does
// not match /apisix2; the empty prefix is everything.
func (s *Store) List(ctx context.Context, prefix string) (kvs []KV, rev int64, err error) {
	kvs, h, err := s.list(ctx, prefix)
	return kvs, h.revision, err
}

// ListAt is List as it was at revision rev. The error wraps ErrCompacted when etcd
// does not have it any more.
func (s *Store) ListAt(ctx context.Context, prefix string, rev int64) ([]KV, error) {
	kvs, _, err := s.listOnce(ctx, prefix, rev)
	if errors.Is(err, rpctypes.ErrCompacted) {
		err = ErrCompacted
	}
	return kvs, err
}

// Keys is List without values.
func (s *Store) Keys(ctx context.Context, prefix string) (kvs []KV, rev int64, err error) {
	kvs, h, err := s.list(ctx, prefix, clientv3.WithKeysOnly())
	return kvs, h.revision, err
}

// Count is how many keys List would return.
func (s *Store) Count(ctx context.Context, prefix string) (int64, error) {
	resp, err := s.read(ctx, readPage, rangeStart(prefix), clientv3.WithRange(rangeEnd(prefix)), clientv3.WithCountOnly())
	if err != nil {
		return 0, err
	}
	return resp.Count, nil
}

// Changed returns what is in the directories and was written after revision
// after, as it was at revision rev, in no order. What was deleted is not told.
// It is one round trip and does not page: for steps, not for whole directories.
func (s *Store) Changed(ctx context.Context, after int64, prefixes ...string) (kvs []KV, rev int64, err error) {
	gets := make([]clientv3.Op, len(prefixes))
	for i, p := range prefixes {
		gets[i] = clientv3.OpGet(rangeStart(p), clientv3.WithRange(rangeEnd(p)), clientv3.WithMinModRev(after+1))
	}
	err = s.ask(ctx, readPage, func(ctx context.Context, c *clientv3.Client) error {
		resp, err := c.Txn(ctx).Then(gets...).Commit()
		if err != nil {
			return err
		}
		kvs, rev = nil, resp.Header.Revision
		for _, r := range resp.Responses {
			for _, kv := range r.GetResponseRange().GetKvs() {
				kvs = append(kvs, fromPB(kv))
			}
		}
		return nil
	})
	return kvs, rev, err
}

// header is what an answer says about the cluster that gave it.
type header struct {
	cluster  uint64
	revision int64
	term     uint64
}

// list is List with the header of the first page. A compaction between two pages
// makes it begin again.
func (s *Store) list(ctx context.Context, prefix string, how ...clientv3.OpOption) ([]KV, header, error) {
	for {
		kvs, h, err := s.listOnce(ctx, prefix, 0, how...)
		if errors.Is(err, rpctypes.ErrCompacted) {
			continue
		}
		return kvs, h, err
	}
}

// listOnce lists at revision rev; 0: now.
func (s *Store) listOnce(ctx context.Context, prefix string, rev int64, how ...clientv3.OpOption) ([]KV, header, error) {
	var kvs []KV
	h, err := s.pages(ctx, prefix, rev, func(kv KV, of int64) {
		if kvs == nil {
			kvs = make([]KV, 0, of)
		}
		kvs = append(kvs, kv)
	}, how...)
	if err != nil {
		return nil, header{}, err
	}
	return kvs, h, nil
}

// head asks a quorum where the cluster is. It asks for a key that who watches the
// directory may read.
func (s *Store) head(ctx context.Context, prefix string) (header, error) {
	resp, err := s.read(ctx, readKey, rangeStart(prefix), clientv3.WithCountOnly())
	if err != nil {
		return header{}, err
	}
	return header{resp.Header.ClusterId, resp.Header.Revision, resp.Header.RaftTerm}, nil
}

// read asks for one key or range.
func (s *Store) read(ctx context.Context, k kind, key string, opts ...clientv3.OpOption) (resp *clientv3.GetResponse, err error) {
	err = s.ask(ctx, k, func(ctx context.Context, c *clientv3.Client) error {
		resp, err = c.Get(ctx, key, opts...)
		return err
	})
	return resp, err
}

// kind is what a question asks for; its text is what errors call it.
type kind int

const (
	readKey  kind = iota // a member that is well answers at once
	readPage             // may take its time
	readPast             // what happened, which a watch of one member tells; may take its time
)

func (k kind) String() string { return [...]string{"get", "list", "watch"}[k] }

// A question is put to the member that the client is of.
type question func(ctx context.Context, c *clientv3.Client) error

// ask puts a question to one member after the other: each attempt has its own
// deadline, so that a member behind a dead link costs one attempt only, and a
// member that knows of no leader refuses at once.
func (s *Store) ask(ctx context.Context, k kind, q question) error {
	return s.askSince(ctx, time.Now(), k, q)
}

// askSince is ask of a call that began then.
func (s *Store) askSince(ctx context.Context, began time.Time, k kind, q question) error {
	for n := 0; ; n++ {
		err := s.askOne(ctx, began, n, k, q)
		var unavailable *UnavailableError
		if !errors.As(err, &unavailable) || !s.goesOn(ctx, began) || s.attempt(began) <= 0 {
			return err
		}
	}
}

// askOne puts a question to the member whose turn it is, in the n-th attempt of a call
// that began then.
func (s *Store) askOne(ctx context.Context, began time.Time, n int, k kind, q question) error {
	m, limit := s.members.forRead(), s.attempt(began)
	switch k {
	case readKey:
		limit = s.members.patience(n, m, limit)
	case readPast:
		m = s.members.one(m)
	}
	actx, cancel := context.WithTimeout(clientv3.WithRequireLeader(ctx), limit)
	defer cancel()
	err := q(actx, m.c)
	if err != nil {
		err = classify(k.String(), false, err)
	}
	if err == nil || limit >= s.members.firstAnswer { // what is left of a call's time says nothing of a member
		s.members.ended(ctx, m, err)
	}
	return err
}

// attempt is how long one attempt of a read that began then may take.
func (s *Store) attempt(began time.Time) time.Duration {
	return min(readTimeout, s.patience-time.Since(began))
}

// pause waits for d and reports whether ctx still lives.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// directory completes a prefix to the directory it names.
func directory(prefix string) string {
	if prefix == "" || strings.HasSuffix(prefix, "/") {
		return prefix
	}
	return prefix + "/"
}

// fromPB takes over the value of kv: each message has its own.
func fromPB(kv *mvccpb.KeyValue) KV {
	return KV{Key: string(kv.Key), Value: kv.Value, Create: kv.CreateRevision, Mod: kv.ModRevision}
}
