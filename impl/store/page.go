package store

import (
	"context"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// Page returns at most limit keys of the directory prefix (see List), in the order
// of keys, from the key from on ("": the first), as they were at revision rev (0:
// now), and that revision. The next page begins at next; "": this was the last one.
// It lets a caller go through a directory that is larger than its memory. The error
// is an *UnavailableError when etcd cannot be asked, and another one when rev was
// compacted.
func (s *Store) Page(ctx context.Context, prefix, from string, rev int64, limit int) (kvs []KV, next string, at int64, err error) {
	if from == "" {
		from = rangeStart(prefix)
	}
	opts := []clientv3.OpOption{clientv3.WithRange(rangeEnd(prefix)), clientv3.WithLimit(int64(limit))}
	if rev > 0 {
		opts = append(opts, clientv3.WithRev(rev))
	}
	resp, err := s.read(ctx, readPage, from, opts...)
	if err != nil {
		return nil, "", 0, err
	}
	if rev == 0 {
		rev = resp.Header.Revision
	}
	kvs = make([]KV, len(resp.Kvs))
	for i, kv := range resp.Kvs {
		kvs[i] = fromPB(kv)
	}
	if resp.More && len(kvs) > 0 {
		next = kvs[len(kvs)-1].Key + "\x00"
	}
	return kvs, next, rev, nil
}
