package store

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
)

const (
	// getsAlone is how many reads of a key are each a request of their own; others at the
	// same time are asked for together. Together a few cost as much as alone.
	getsAlone = 8
	// keysAtOnce is how many keys are asked for together, unless etcd takes fewer (it was
	// started with --max-txn-ops below that; 128 by default).
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
	most      int // keys at once, as far as we know; 0: keysAtOnce
}

// getting is a read of one key.
type getting struct {
	key  string
	done chan struct{} // closed when it was read, or given up
	resp *clientv3.GetResponse
}

// get tries once to read a key for a call that began then, perhaps with others. nil: it
// was in vain, or not tried, and the caller has to go on by itself.
func (s *Store) get(ctx context.Context, began time.Time, key string) *clientv3.GetResponse {
	s.gets.mu.Lock()
	if s.gets.alone < getsAlone {
		s.gets.alone++
		s.gets.mu.Unlock()
		var resp *clientv3.GetResponse
		_ = s.askOne(ctx, began, 0, readKey, func(ctx context.Context, c *clientv3.Client) (err error) {
			resp, err = c.Get(ctx, key)
			return err
		})
		s.gets.mu.Lock()
		defer s.gets.mu.Unlock()
		s.gets.alone--
		return resp
	}
	ctx, cancel := context.WithTimeout(ctx, s.attempt(began))
	defer cancel()
	g := &getting{key: key, done: make(chan struct{})}
	s.gets.waiting = append(s.gets.waiting, g)
	if !s.gets.gathering {
		s.gets.gathering = true
		go s.gather()
	}
	s.gets.mu.Unlock()
	select {
	case <-g.done:
		resp := g.resp
		g.resp = nil // what still holds g does not hold the answer
		return resp
	case <-ctx.Done(): // perhaps others are asked for all this time
		return nil
	}
}

// gather reads the keys that are waited for until there are none. What fails may fail for
// long, and each has its own time: then all are given up.
func (s *Store) gather() {
	for {
		all := s.gets.take()
		if len(all) == 0 {
			return
		}
		err := s.getAll(all)
		switch {
		case errors.Is(err, rpctypes.ErrTooManyOps):
			s.gets.fewer(all)
			continue
		case err != nil:
			all = append(all, s.gets.giveUp()...)
		}
		for _, g := range all {
			close(g.done)
		}
	}
}

// take takes who is asked for next; it keeps nothing of them. There is nobody: gather ends.
func (q *gets) take() []*getting {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.most == 0 {
		q.most = keysAtOnce
	}
	all := slices.Clone(q.waiting[:min(len(q.waiting), q.most)])
	q.waiting = slices.Delete(q.waiting, 0, len(all))
	if len(q.waiting) == 0 {
		q.waiting = nil
	}
	q.gathering = len(all) > 0
	return all
}

// fewer puts back those whom etcd did not take in one transaction; from now on it is
// asked for half as many.
func (q *gets) fewer(all []*getting) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.most = len(all) / 2
	q.waiting = append(all, q.waiting...)
}

// giveUp takes all who wait.
func (q *gets) giveUp() []*getting {
	q.mu.Lock()
	defer q.mu.Unlock()
	all := q.waiting
	q.waiting = nil
	return all
}

// getAll reads keys in one request.
func (s *Store) getAll(all []*getting) error {
	return s.askOne(s.c.Ctx(), time.Now(), 0, readKey, func(ctx context.Context, c *clientv3.Client) error {
		return getAllAt(ctx, c, all)
	})
}

func getAllAt(ctx context.Context, c *clientv3.Client, all []*getting) (err error) {
	if len(all) == 1 {
		all[0].resp, err = c.Get(ctx, all[0].key)
		return err
	}
	ops := make([]clientv3.Op, len(all))
	for i, g := range all {
		ops[i] = clientv3.OpGet(g.key)
	}
	resp, err := c.Txn(ctx).Then(ops...).Commit()
	if err != nil {
		return err
	}
	for i, g := range all {
		g.resp = (*clientv3.GetResponse)(resp.Responses[i].GetResponseRange())
		g.resp.Header = resp.Header
	}
	return nil
}
