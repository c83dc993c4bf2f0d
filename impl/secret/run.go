package secret

import (
	"cmp"
	"container/heap"
	"context"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/unilb/unilb/impl/obs"
)

// queue holds the documents that are to be asked for, the first due at its head.
type queue []*document

func (q queue) Len() int           { return len(q) }
func (q queue) Less(i, j int) bool { return q[i].due.Before(q[j].due) }
func (q queue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].index, q[j].index = i, j
}
func (q *queue) Push(x any) {
	d := x.(*document)
	d.index = len(*q)
	*q = append(*q, d)
}

func (q *queue) Pop() any {
	last := len(*q) - 1
	d := (*q)[last]
	*q = (*q)[:last]
	d.index = -1
	return d
}

// enqueue has a document asked for at a time. r.mu is held.
func (r *Resolver) enqueue(d *document, at time.Time) {
	r.drop(d)
	d.due = at
	heap.Push(&r.queue, d)
}

// drop has it not asked for. r.mu is held.
func (r *Resolver) drop(d *document) {
	if d.index >= 0 {
		heap.Remove(&r.queue, d.index)
	}
	if m := r.managers[d.manager]; m != nil {
		m.waiting = slices.DeleteFunc(m.waiting, func(o *document) bool { return o == d })
	}
}

// Run asks for what is due until ctx ends, and returns when nothing is under way.
func (r *Resolver) Run(ctx context.Context) {
	var busy sync.WaitGroup
	defer r.client.CloseIdleConnections()
	defer busy.Wait()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		d, m, wait := r.next(time.Now())
		if d != nil {
			busy.Go(func() { r.ask(ctx, d, m) })
			continue
		}
		timer.Reset(wait)
		select {
		case <-timer.C:
		case <-r.wake:
		case <-ctx.Done():
			return
		}
	}
}

// next takes a document that is due and whose manager has room; nil: there is none for
// that long.
func (r *Resolver) next(now time.Time) (*document, *manager, time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.queue) > 0 {
		if wait := r.queue[0].due.Sub(now); wait > 0 {
			return nil, nil, wait
		}
		d := heap.Pop(&r.queue).(*document)
		m := r.managers[d.manager]
		if m.busy == askedAtOnce {
			m.waiting = append(m.waiting, d)
			continue
		}
		m.busy++
		d.asking = true
		return d, m, 0
	}
	return nil, nil, math.MaxInt64
}

// ask asks for a document and says what has become of its references.
func (r *Resolver) ask(ctx context.Context, d *document, m *manager) {
	a, err := m.vault.ask(ctx, r.client, d.path, r.o.Env)
	if ctx.Err() != nil {
		return // nobody waits for it
	}
	r.mu.Lock()
	d.asking = false
	m.busy--
	if len(m.waiting) > 0 {
		first := m.waiting[0]
		m.waiting = m.waiting[1:]
		if r.managers[first.manager] == m {
			heap.Push(&r.queue, first)
		}
	}
	var changed []string
	switch {
	case len(d.keys) == 0: // nobody wants it any more
	case r.managers[d.manager] != m: // another is to be asked, or none
		changed = r.begin(d)
	default:
		changed = d.note(m, a.members, err)
		r.count(d, err)
		r.enqueue(d, time.Now().Add(r.pause(d, a.holds)))
	}
	asked := r.managers[d.manager] == m
	r.mu.Unlock()
	r.look()
	r.tell(changed)
	r.mu.Lock()
	defer r.mu.Unlock()
	d.asked = d.asked || asked
	close(r.settled)
	r.settled = make(chan struct{})
}

// note takes what a manager says of a document, or why it says nothing, and returns the
// users of what is different. A value stays when the manager that has said it fails.
func (d *document) note(m *manager, members map[string]json.RawMessage, failure error) (changed []string) {
	for key, e := range d.keys {
		value, ok := textOf(members[key])
		why := failure
		if why == nil && !ok {
			why = errNoKey
		}
		switch {
		case ok:
			if !e.known || e.value != value {
				changed = append(changed, e.users...)
			}
			*e = entry{users: e.users, known: true, value: value}
		case e.known && d.of == m:
			e.fail(why)
		default:
			if e.known || e.err.Error() != why.Error() {
				changed = append(changed, e.users...)
			}
			e.known, e.value = false, ""
			e.fail(why)
		}
	}
	if failure == nil {
		d.of = m
	}
	return changed
}

var errNoKey = errors.New("it has no text under this key")

func (e *entry) fail(why error) {
	if e.err == nil || errors.Is(e.err, errNotYet) {
		e.since = time.Now()
	}
	e.err = why
}

// count counts a question, and logs the first failure and its end. r.mu is held.
func (r *Resolver) count(d *document, err error) {
	if err != nil {
		r.failed++
	} else {
		r.good++
	}
	why, stays := err, false
	for _, e := range d.keys {
		why = cmp.Or(why, e.err)
		stays = stays || e.known && e.err != nil
	}
	switch {
	case why == nil && d.failures > 0:
		r.o.Log.Info("secret is known again", "secret", d.document())
		d.failures = 0
	case why != nil:
		switch log := r.o.Log.With("secret", d.document(), obs.Err, why); {
		case d.failures > 0: // it was said
		case stays:
			log.Warn("secret cannot be read, what was known of it stays")
		default:
			log.Warn("secret cannot be read, objects that need it are refused")
		}
		d.failures++
	}
}

// pause is how long a document is not asked for now.
func (r *Resolver) pause(d *document, holds time.Duration) time.Duration {
	const most = 20 // doublings
	if d.failures > 0 {
		p := min(firstRetry<<min(d.failures-1, most), r.o.Refresh)
		return p/2 + time.Duration(r.o.Jitter()*float64(p/2))
	}
	p := r.o.Refresh
	if holds > 0 {
		p = min(p, max(holds, firstRetry))
	}
	const share = 5 // of it is random, so that gateways do not ask together
	return p - time.Duration(r.o.Jitter()*float64(p/share))
}
