package l4

import (
	"context"
	"net/netip"
	"sync"
	"time"
)

const (
	// DefaultInterval is the time between two probes of a member.
	DefaultInterval = 500 * time.Millisecond
	// DefaultTimeout bounds one probe.
	DefaultTimeout = 300 * time.Millisecond
	// maxProbes bounds the probes under way at one time.
	maxProbes = 64
	// confirmIn is the part of an interval after which a member that was never
	// judged, and has answered, is asked again.
	confirmIn = 5
)

// A ProbeFunc asks one member and says how it answered; reason explains a miss.
// It must return soon after ctx ends.
type ProbeFunc func(ctx context.Context, url string) (o Outcome, reason string)

// ProberOptions configure a Prober. Probe is required, the rest may be zero.
type ProberOptions struct {
	Probe      ProbeFunc
	Interval   time.Duration // between the starts of two probes of a member; zero means 500 ms
	Timeout    time.Duration // of one probe; zero means 300 ms
	Thresholds Thresholds
	Now        func() time.Time // nil means time.Now
	// Changed is called after the state of a member changed and after its first
	// probe. It must not block.
	Changed func()
}

// A target is what the prober knows of a member.
type target struct {
	url  string
	seed State // of a member that is new to the prober
}

// A Prober asks every member, again and again. Safe for concurrent use.
type Prober struct {
	o     ProberOptions
	slots chan struct{} // holds one token for each probe under way
	wake  chan struct{} // tells Run that there may be members without a loop

	mu      sync.Mutex
	probing map[memberKey]*probing
}

// probing is one member under observation.
type probing struct {
	url     string
	health  Health
	begun   bool
	dropped chan struct{} // closed when the member is a target no more
}

// NewProber returns a prober without members. It does nothing before Run.
func NewProber(o ProberOptions) *Prober {
	if o.Interval <= 0 {
		o.Interval = DefaultInterval
	}
	if o.Timeout <= 0 {
		o.Timeout = DefaultTimeout
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Changed == nil {
		o.Changed = func() {}
	}
	o.Thresholds = o.Thresholds.withDefaults()
	return &Prober{
		o: o, slots: make(chan struct{}, maxProbes), wake: make(chan struct{}, 1),
		probing: map[memberKey]*probing{},
	}
}

// Run probes until ctx ends and all probes under way have returned. It must be
// called once at most.
func (p *Prober) Run(ctx context.Context) {
	var wg sync.WaitGroup
	defer wg.Wait()
	for {
		p.mu.Lock()
		for key, pr := range p.probing {
			if !pr.begun {
				pr.begun = true
				wg.Go(func() { p.loop(ctx, key, pr) })
			}
		}
		p.mu.Unlock()
		select {
		case <-p.wake:
		case <-ctx.Done():
			return
		}
	}
}

// set makes targets the members to probe. What is known of a member stays as
// long as it is a target, also when its URL changes.
func (p *Prober) set(targets map[memberKey]target) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for key, pr := range p.probing {
		t, ok := targets[key]
		if ok && t.url == pr.url {
			continue
		}
		close(pr.dropped)
		delete(p.probing, key)
		if ok {
			p.probing[key] = &probing{url: t.url, health: pr.health, dropped: make(chan struct{})}
		}
	}
	for key, t := range targets {
		if _, ok := p.probing[key]; !ok {
			h := Health{State: t.seed, Since: p.o.Now()}
			p.probing[key] = &probing{url: t.url, health: h, dropped: make(chan struct{})}
		}
	}
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// loop probes one member until it is dropped or ctx ends. A new member that has
// answered is asked again soon: nothing speaks against it, and there may be VIPs
// that wait for it. One that was down proves itself at the usual pace.
func (p *Prober) loop(ctx context.Context, key memberKey, pr *probing) {
	tick := time.NewTicker(p.o.Interval)
	defer tick.Stop()
	for first := true; ; first = false {
		select {
		case p.slots <- struct{}{}:
		case <-pr.dropped:
			return
		case <-ctx.Done():
			return
		}
		pctx, cancel := context.WithTimeout(ctx, p.o.Timeout)
		o, reason := p.o.Probe(pctx, pr.url)
		cancel()
		<-p.slots
		if ctx.Err() != nil {
			return // the probe was cut short and says nothing
		}
		p.mu.Lock()
		current := p.probing[key] == pr
		changed := current && pr.health.Observe(o, reason, p.o.Now(), p.o.Thresholds)
		soon := o == IsReady && pr.health.State == Unknown
		p.mu.Unlock()
		if changed || first && current {
			p.o.Changed()
		}
		next := tick.C
		if soon {
			next = time.After(p.o.Interval / confirmIn)
		}
		select {
		case <-next:
		case <-pr.dropped:
			return
		case <-ctx.Done():
			return
		}
	}
}

// doubt forgets the verdict on the members of a pool that are down: only probes
// from now on count.
func (p *Prober) doubt(pool Pool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for key, pr := range p.probing {
		if key.pool == pool && pr.health.State == Down {
			pr.health = Health{Since: p.o.Now(), Reason: pr.health.Reason}
		}
	}
}

// health returns what is known of a member; the zero Health if it is no target.
func (p *Prober) health(pool Pool, addr netip.Addr) Health {
	p.mu.Lock()
	defer p.mu.Unlock()
	if pr, ok := p.probing[memberKey{pool, addr}]; ok {
		return pr.health
	}
	return Health{}
}
