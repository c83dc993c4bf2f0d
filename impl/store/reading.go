package store

import (
	"context"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// pages calls f with each key of a directory at revision rev (0: now), in the order of
// keys, and with how many there are from this page on. It holds a page at a time.
func (s *Store) pages(ctx context.Context, prefix string, rev int64, f func(kv KV, of int64), how ...clientv3.OpOption) (header, error) {
	r := s.reading(prefix, rev, how...)
	for more := true; more; {
		var err error
		if more, err = r.page(ctx, f); err != nil {
			return header{}, err
		}
	}
	return r.at, nil
}

// reading is a directory of which one page is read after the other, at one revision.
type reading struct {
	s         *Store
	at        header // of the first page, or as it was given
	from, end string // of what is left
	how       []clientv3.OpOption
}

func (s *Store) reading(prefix string, rev int64, how ...clientv3.OpOption) *reading {
	return &reading{s: s, at: header{revision: rev}, from: rangeStart(prefix), end: rangeEnd(prefix), how: how}
}

// page reads the next one, as pages does, and tells whether there are more. After an
// error it can be tried again; f was not called.
func (r *reading) page(ctx context.Context, f func(kv KV, of int64)) (more bool, err error) {
	opts := append([]clientv3.OpOption{clientv3.WithRange(r.end), clientv3.WithLimit(pageSize)}, r.how...)
	if r.at.revision > 0 {
		opts = append(opts, clientv3.WithRev(r.at.revision))
	}
	resp, err := r.s.read(ctx, readPage, r.from, opts...)
	if err != nil {
		return false, err
	}
	if r.at.revision == 0 {
		r.at = header{resp.Header.ClusterId, resp.Header.Revision, resp.Header.RaftTerm}
	}
	for _, kv := range resp.Kvs {
		f(fromPB(kv), max(resp.Count, int64(len(resp.Kvs))))
	}
	if !resp.More || len(resp.Kvs) == 0 {
		return false, nil
	}
	r.from = string(resp.Kvs[len(resp.Kvs)-1].Key) + "\x00"
	return true, nil
}
