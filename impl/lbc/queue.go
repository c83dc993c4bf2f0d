package lbc

import (
	"context"
	"sync"
)

// maxPasses bounds how many units of one kind are published at a time. Kinds
// have their own bound because a load balancer waits for its target groups.
const maxPasses = 16

// A queue runs work for units: each unit at most once at a time, and once more
// when it was asked for meanwhile. It is safe for concurrent use.
type queue struct {
	run func(context.Context, unit)

	mu      sync.Mutex
	again   map[unit]bool // running; true: was asked for meanwhile
	slots   map[string]chan struct{}
	wg      sync.WaitGroup
	stopped bool
}

func newQueue(run func(context.Context, unit)) *queue {
	q := &queue{run: run, again: make(map[unit]bool), slots: make(map[string]chan struct{})}
	for _, kind := range []string{kindLB, kindTG, kindPort} {
		q.slots[kind] = make(chan struct{}, maxPasses)
	}
	return q
}

// add asks for a unit's work.
func (q *queue) add(ctx context.Context, u unit) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.stopped {
		return
	}
	if _, running := q.again[u]; running {
		q.again[u] = true
		return
	}
	q.again[u] = false
	q.wg.Go(func() { q.work(ctx, u) })
}

func (q *queue) work(ctx context.Context, u unit) {
	for {
		select {
		case q.slots[u.kind] <- struct{}{}:
			q.run(ctx, u)
			<-q.slots[u.kind]
		case <-ctx.Done():
		}
		q.mu.Lock()
		if !q.again[u] || ctx.Err() != nil {
			delete(q.again, u)
			q.mu.Unlock()
			return
		}
		q.again[u] = false
		q.mu.Unlock()
	}
}

// wait ends the queue: nothing more is taken, and it returns when nothing runs.
func (q *queue) wait() {
	q.mu.Lock()
	q.stopped = true
	q.mu.Unlock()
	q.wg.Wait()
}
