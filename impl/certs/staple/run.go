package staple

import (
	"container/heap"
	"context"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/unilb/unilb/impl/obs"
)

const (
	// atOnce bounds the questions under way, atOneHost those to the same responder: one
	// that is slow keeps no other certificate waiting.
	atOnce, atOneHost = 16, 4
	// lookAgain bounds the time between two looks at the clock, which may be set while
	// we wait.
	lookAgain = 30 * time.Second
	// tellAgain is how often a certificate whose answers fail is logged; tellApart keeps
	// the lines of several apart.
	tellAgain, tellApart = time.Hour, time.Second
)

// Run asks responders until ctx ends.
func (s *Stapler) Run(ctx context.Context) {
	var wg sync.WaitGroup
	defer wg.Wait()
	for {
		wait := s.begin(func(u *subject, at *url.URL) { wg.Go(func() { s.ask(ctx, u, at) }) })
		t := time.NewTimer(wait)
		select {
		case <-s.wake:
		case <-t.C:
		case <-ctx.Done():
		}
		t.Stop()
		if ctx.Err() != nil {
			return
		}
	}
}

// begin starts what is due and may be, and returns how long to wait for more.
func (s *Stapler) begin(start func(*subject, *url.URL)) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.o.Now()
	for len(s.queue) > 0 && s.busy < atOnce {
		u := s.queue[0]
		if u.due.After(now) {
			return min(u.due.Sub(now), lookAgain)
		}
		heap.Pop(&s.queue)
		at := u.responders[u.fails%len(u.responders)]
		l := s.lines[at.Host]
		if l == nil {
			l = &line{}
			s.lines[at.Host] = l
		}
		if l.busy == atOneHost {
			l.waiting = append(l.waiting, u)
			continue
		}
		l.busy++
		s.busy++
		start(u, at)
	}
	return lookAgain
}

func (s *Stapler) ask(ctx context.Context, u *subject, at *url.URL) {
	limited, cancel := context.WithTimeout(ctx, fetchTime)
	defer cancel()
	raw, err := s.o.Fetch(limited, at, u.request)
	now := s.o.Now()
	var a answer
	if err == nil {
		a, err = read(raw, u.leaf, u.issuer, now)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.release(at.Host)
	if ctx.Err() != nil || s.subjects[u.key] != u {
		return // we end, or nobody serves the certificate any more
	}
	if err != nil {
		s.failed++
		u.miss(err, now, s.o.Jitter())
		s.tell(u, at, err, now)
	} else {
		s.good++
		u.take(a, now, s.o.Jitter())
		if !u.told.IsZero() {
			u.told = time.Time{}
			s.o.Log.Info("certificate is stapled again", "object", u.object(), "responder", at.String())
		}
	}
	heap.Push(&s.queue, u)
	s.look()
}

// release lets the next one have its turn at a responder. s.mu is held.
func (s *Stapler) release(host string) {
	s.busy--
	l := s.lines[host]
	l.busy--
	if len(l.waiting) > 0 {
		heap.Push(&s.queue, l.waiting[0])
		l.waiting = slices.Delete(l.waiting, 0, 1)
	} else if l.busy == 0 {
		delete(s.lines, host)
	}
	s.look()
}

// tell logs a failure, once in a while. s.mu is held.
func (s *Stapler) tell(u *subject, at *url.URL, err error, now time.Time) {
	if !u.told.IsZero() && now.Sub(u.told) < tellAgain || now.Sub(s.told) < tellApart {
		return
	}
	u.told, s.told = now, now
	s.o.Log.Warn("no answer to staple", "object", u.object(), "responder", at.String(), "fails", u.fails, "stapled_until", u.answer.until, obs.Err, err)
}
