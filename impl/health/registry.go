package health

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"sync"
	"time"

	"github.com/unilb/unilb/impl/obs"
)

// Prober does one probe. It must return soon after ctx is done.
type Prober interface {
	Probe(ctx context.Context, host string, port int, c *Check) Finding
}

// A Finding is what a probe found out, and where.
type Finding struct {
	Event  Event
	Detail string // why it is no success
	// Address is the one that was connected to, or could not be; not valid: the name
	// stood for none.
	Address netip.Addr
}

// Options of a Registry.
type Options struct {
	Prober Prober
	// MaxProbes bounds the probes in flight; 0: 512.
	MaxProbes int
	// Rand spreads probes over their interval; nil: a random seed.
	Rand *rand.Rand
	Log  *slog.Logger
}

// Registry holds the states of all targets that some upstream checks.
type Registry struct {
	prober Prober
	log    *slog.Logger
	slots  chan struct{}

	mu     sync.Mutex
	rand   *rand.Rand
	checks map[Key]*checker
	owners map[string]owner // by upstream
	wg     sync.WaitGroup
	closed bool
}

// owner is an upstream that has a check.
type owner struct {
	keys []Key // of its targets, in their order
	// slots bounds the probes in flight of all targets that began with it. A
	// target that several upstreams share counts for the one that had it first.
	slots chan struct{}
}

type checker struct {
	state  *State
	refs   int
	cancel context.CancelFunc
}

// NewRegistry returns an empty registry.
func NewRegistry(o Options) *Registry {
	if o.MaxProbes == 0 {
		o.MaxProbes = 512
	}
	if o.Rand == nil {
		o.Rand = rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	}
	return &Registry{prober: o.Prober, log: o.Log, slots: make(chan struct{}, o.MaxProbes), rand: o.Rand,
		checks: map[Key]*checker{}, owners: map[string]owner{}}
}

// Set says that an upstream has these subjects now, and returns their states
// in the same order. States that another upstream, or an earlier Set, already
// has are the same; those that nobody has any more end. No subjects: the
// upstream is gone or has no check.
func (r *Registry) Set(name string, subjects []Subject) []*State {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return make([]*State, len(subjects))
	}
	old := r.owners[name]
	states := make([]*State, len(subjects))
	keys := make([]Key, len(subjects))
	slots := old.slotsFor(subjects)
	for i, s := range subjects {
		keys[i] = s.key()
		c, ok := r.checks[keys[i]]
		if !ok {
			c = r.start(keys[i], s.Check, slots)
		}
		c.refs++
		states[i] = c.state
	}
	for _, k := range old.keys { // after the new ones: what stays never drops to 0
		c := r.checks[k]
		if c.refs--; c.refs == 0 {
			c.cancel()
			delete(r.checks, k)
		}
	}
	if len(keys) > 0 {
		r.owners[name] = owner{keys, slots}
	} else {
		delete(r.owners, name)
	}
	return states
}

// slotsFor keeps the slots there are: targets that stay hold some of them. With
// another bound the check is another, and no target stays.
func (o owner) slotsFor(subjects []Subject) chan struct{} {
	if len(subjects) == 0 {
		return nil
	}
	if n := subjects[0].Check.Concurrency; cap(o.slots) != n {
		return make(chan struct{}, n)
	}
	return o.slots
}

// Close ends all probes and waits for them.
func (r *Registry) Close() {
	r.mu.Lock()
	r.closed = true
	for _, c := range r.checks {
		c.cancel()
	}
	r.mu.Unlock()
	r.wg.Wait()
}

// firstDelay bounds the wait before the first probe: long enough to spread the
// probes of a start with many targets, short enough to be prompt.
const firstDelay = 100 * time.Millisecond

// minInterval is the shortest time between the starts of two probes of a
// target, whatever its check says; APISIX's objects cannot ask for less.
const minInterval = time.Second

func (r *Registry) start(k Key, c *Check, slots chan struct{}) *checker {
	ctx, cancel := context.WithCancel(context.Background())
	ck := &checker{state: newState(time.Now()), cancel: cancel}
	r.checks[k] = ck
	delay := time.Duration(r.rand.Int64N(int64(firstDelay)))
	r.wg.Go(func() { r.run(ctx, k, c, ck.state, delay, slots) })
	return ck
}

// run probes one target until ctx ends. The interval is counted from start to
// start, so that slow probes do not make checks rarer than they must be.
func (r *Registry) run(ctx context.Context, k Key, c *Check, s *State, delay time.Duration, slots chan struct{}) {
	timer := time.NewTimer(delay)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		begin := time.Now()
		if !r.probe(ctx, k, c, s, slots) {
			return
		}
		interval := c.HealthyInterval
		if !s.Usable() {
			interval = c.UnhealthyInterval
		}
		timer.Reset(max(0, max(interval, minInterval)-time.Since(begin)))
	}
}

// probe does one probe and counts what it found; false when ctx has ended.
func (r *Registry) probe(ctx context.Context, k Key, c *Check, s *State, slots chan struct{}) bool {
	for _, sem := range []chan struct{}{slots, r.slots} {
		select {
		case sem <- struct{}{}:
			defer func() { <-sem }()
		case <-ctx.Done():
			return false
		}
	}
	pctx, cancel := context.WithTimeout(ctx, c.Timeout)
	f := r.prober.Probe(pctx, k.Host, c.portOf(k.Port), c)
	cancel()
	if ctx.Err() != nil {
		return false // cut by us: says nothing about the target
	}
	s.probed(f.Address)
	if s.Report(f.Event, c.Limits, f.Detail, time.Now()) && r.log != nil {
		r.log.Info("target health changed", obs.Target, k.Host, "port", k.Port, "generation", k.Generation,
			"status", s.Status().String(), "detail", f.Detail)
	}
	return true
}
