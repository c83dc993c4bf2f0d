package store

import (
	"context"
	"sync"

	clientv3 "go.etcd.io/etcd/client/v3"
)

const (
	// getsAlone is how many reads of a key are each a request of their own; others at the
	// same time are asked for together. Together a few cost as much as alone.
	getsAlone = 8
	// keysAtOnce is how many keys are asked for together; etcd takes 128 by default.
	keysAtOnce = 64
)

// gets gathers reads of single keys. Where many ask at once a request for each is a good
// part of what a write costs etcd and us, and what one transaction reads is agreed by a
// quorum as well. Of few none waits for another.
type gets struct {
	mu        sync.Mutex
	alone     int
	gathering bool
	waiting   []*getting
}

// getting is a read of one key.
type getting struct {
	key  string
	done chan struct{} // closed when it was read, or given up
	resp *clientv3.GetResponse
}

// get tries once to read a key, perhaps with others. nil: it was in vain, or not tried,
// and the caller has to go on by itself.
func (s *Store) get(ctx context.Context, key string) *clientv3.GetResponse {
	s.gets.mu.Lock()
	if s.gets.alone < getsAlone {
		s.gets.alone++
		s.gets.mu.Unlock()
		ctx, cancel := context.WithTimeout(clientv3.WithRequireLeader(ctx), readTimeout)
		defer cancel()
		resp, err := s.c.Get(ctx, key)
		s.gets.mu.Lock()
		defer s.gets.mu.Unlock()
		s.gets.alone--
		if err != nil {
			return nil
		}
		return resp
	}
	g := &getting{key: key, done: make(chan struct{})}
	s.gets.waiting = append(s.gets.waiting, g)
	if !s.gets.gathering {
		s.gets.gathering = true
		go s.gather()
	}
	s.gets.mu.Unlock()
	select {
	case <-g.done:
		return g.resp
	case <-ctx.Done():
		return nil
	}
}

// gather reads the keys that are waited for until there are none. What fails may fail for
// long, and each has its own time: then all are given up.
func (s *Store) gather() {
	for {
		s.gets.mu.Lock()
		n := min(len(s.gets.waiting), keysAtOnce)
		s.gets.gathering = n > 0
		all := s.gets.waiting[:n:n]
		s.gets.waiting = s.gets.waiting[n:]
		s.gets.mu.Unlock()
		if n == 0 {
			return
		}
		err := s.getAll(all)
		if err != nil {
			s.gets.mu.Lock()
			all = append(all, s.gets.waiting...)
			s.gets.waiting = nil
			s.gets.mu.Unlock()
		}
		for _, g := range all {
			close(g.done)
		}
	}
}

// getAll reads keys in one request.
func (s *Store) getAll(all []*getting) (err error) {
	ctx, cancel := context.WithTimeout(clientv3.WithRequireLeader(s.c.Ctx()), readTimeout)
	defer cancel()
	if len(all) == 1 {
		all[0].resp, err = s.c.Get(ctx, all[0].key)
		return err
	}
	ops := make([]clientv3.Op, len(all))
	for i, g := range all {
		ops[i] = clientv3.OpGet(g.key)
	}
	resp, err := s.c.Txn(ctx).Then(ops...).Commit()
	if err != nil {
		return err
	}
	for i, g := range all {
		g.resp = (*clientv3.GetResponse)(resp.Responses[i].GetResponseRange())
		g.resp.Header = resp.Header
	}
	return nil
}
