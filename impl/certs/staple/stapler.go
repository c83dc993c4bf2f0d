package staple

import (
	"container/heap"
	"crypto/sha256"
	"errors"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/unilb/unilb/impl/certs"
	"github.com/unilb/unilb/impl/obs"
)

// mostSubjects bounds the certificates that are stapled, and with longestAnswer the
// memory for it.
const mostSubjects = 10_000

// Options of a Stapler.
type Options struct {
	// All staples every certificate that names a responder; false: those alone that
	// demand it (RFC 7633).
	All bool
	// Fetch asks responders; nil: OverHTTP(Elsewhere).
	Fetch Fetch
	// Now is the clock; nil: time.Now.
	Now func() time.Time
	// Jitter is a random number from 0 to 1; nil: of math/rand.
	Jitter func() float64
	Log    *slog.Logger // nil: nothing is logged
}

// A Stapler keeps certificates stapled while it runs.
type Stapler struct {
	o    Options
	wake chan struct{} // something may be due

	mu       sync.Mutex
	objects  map[string]*certs.Certificate
	subjects map[[sha256.Size]byte]*subject
	queue    queue
	lines    map[string]*line // by host of the responder
	busy     int
	good     uint64
	failed   uint64
	told     time.Time // when anything was logged last
}

// New returns a stapler that knows no certificate.
func New(o Options) *Stapler {
	if o.Fetch == nil {
		o.Fetch = OverHTTP(Elsewhere)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Jitter == nil {
		o.Jitter = rand.Float64
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Stapler{o: o, wake: make(chan struct{}, 1), objects: map[string]*certs.Certificate{},
		subjects: map[[sha256.Size]byte]*subject{}, lines: map[string]*line{}}
}

// Set says what an object serves from now on; nil: nothing. What is known of its
// certificates already is stapled when Set returns; it does not wait for more.
func (s *Stapler) Set(id string, c *certs.Certificate) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.objects[id]
	if old == c {
		return
	}
	delete(s.objects, id)
	if c != nil {
		s.objects[id] = c
		for _, p := range c.Pairs() {
			s.attach(id, p)
		}
	}
	if old != nil { // afterwards: a certificate that is in both is never without
		for _, p := range old.Pairs() {
			s.detach(p)
		}
	}
	s.look()
}

// look makes Run look for what is due.
func (s *Stapler) look() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// attach begins to staple a pair. s.mu is held.
func (s *Stapler) attach(id string, p *certs.Pair) {
	o, err := newOrder(p, s.o.All)
	if o == nil && err == nil {
		return
	}
	var u *subject
	if err == nil {
		u = s.subjects[o.key]
	}
	if err == nil && u == nil && len(s.subjects) == mostSubjects {
		err = errors.New("too many certificates are stapled")
	}
	if err != nil {
		s.o.Log.Warn("certificate is not stapled", "object", id, obs.Err, err)
		return
	}
	if u == nil {
		u = &subject{order: o, pairs: map[*certs.Pair]string{}, due: s.o.Now()}
		s.subjects[o.key] = u
		heap.Push(&s.queue, u)
	}
	u.pairs[p] = id
	p.Staple(u.answer.raw, u.answer.until)
}

// detach ends it, and forgets the certificate when nothing else serves it. s.mu is
// held.
func (s *Stapler) detach(p *certs.Pair) {
	if p.Leaf() == nil {
		return
	}
	u := s.subjects[sha256.Sum256(p.Leaf().Raw)]
	if u == nil {
		return
	}
	delete(u.pairs, p)
	if len(u.pairs) > 0 {
		return
	}
	delete(s.subjects, u.key)
	if u.index >= 0 {
		heap.Remove(&s.queue, u.index)
		return
	}
	for _, l := range s.lines {
		l.waiting = slices.DeleteFunc(l.waiting, func(o *subject) bool { return o == u })
	}
}

// Counts are what a stapler has done and has.
type Counts struct {
	Good, Failed uint64 // questions since the start
	// Wanted are the certificates to staple, Stapled those that are now.
	Wanted, Stapled int
	Oldest          time.Time // since when the oldest answer of those holds; zero: there is none
}

// Counts returns them.
func (s *Stapler) Counts() Counts {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := Counts{Good: s.good, Failed: s.failed, Wanted: len(s.subjects)}
	now := s.o.Now()
	for _, u := range s.subjects {
		if a := u.answer; now.Before(a.until) {
			c.Stapled++
			if c.Oldest.IsZero() || a.since.Before(c.Oldest) {
				c.Oldest = a.since
			}
		}
	}
	return c
}
