package proxy

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/unilb/unilb/impl/balance"
	"github.com/unilb/unilb/impl/config"
	"github.com/unilb/unilb/impl/exchange"
	"github.com/unilb/unilb/impl/obs/meter"
	"github.com/unilb/unilb/impl/route"
	"github.com/unilb/unilb/impl/vars"
)

// Options of a Pipeline.
type Options struct {
	// Lanes is the number of loops (or stripes); 0: 1.
	Lanes int
	// Seed makes the start offsets of balancers; two gateways should differ.
	Seed uint64
	// Health tells the health of the targets of an upstream, by index; nil, or
	// a nil result: all are healthy. It is asked once for each upstream and
	// lane; what it returns is read at every pick.
	Health func(*config.Upstream) balance.Usable
	// Observe is called after every try with what came of it, for upstreams
	// that have a passive check; nil: nobody wants to know. It must not block.
	Observe func(up *config.Upstream, target int, o Observation)
	// Log is called for every exchange when it has ended; nil: no log. It must
	// not block and must not keep the exchange.
	Log func(*exchange.Exchange, Entry)
	// Paths are settings for the path that routes are matched by.
	Paths Paths
	// Peers are proxies that are believed.
	Peers Peers
	// Bodies bounds what is read of bodies to find the route.
	Bodies Bodies
	// Meter counts requests; nil: nobody does. Who reads it calls SweepCounts before.
	Meter *meter.Meter
	// Now is the clock of what no exchange asks for; nil: time.Now.
	Now func() time.Time
}

// Entry is what the pipeline knows about an exchange beyond its head.
type Entry struct {
	exchange.Record
	Ended    time.Time // when the last byte was sent
	Route    string    // id, empty when none matched
	Upstream string    // key, empty when there was none
	Target   string    // the last that was tried
	// Tries holds one status for each try, as nginx counts them: 502 for a
	// failure, 504 for a timeout. It is valid during Log only.
	Tries []int
	// Failure of the last try, or why no try was made; empty: none.
	Failure string
}

// Observation is what came of one try: the status of an answer, or a failure.
type Observation struct {
	Status  int // 0: a failure
	Failure exchange.FailureKind
}

// Pipeline is the handler of a gateway.
type Pipeline struct {
	o     Options
	snap  atomic.Pointer[config.Snapshot]
	lanes []lane

	counts counts
	bodies bodies
}

// New returns a pipeline with an empty snapshot: every request is answered 404.
func New(o Options) *Pipeline {
	if o.Now == nil {
		o.Now = time.Now
	}
	p := &Pipeline{o: o, lanes: make([]lane, max(1, o.Lanes)), counts: counts{m: o.Meter}}
	for i := range p.lanes {
		p.lanes[i].positions = map[string]*position{}
	}
	p.bodies.bound(o.Bodies)
	p.snap.Store(&config.Snapshot{})
	return p
}

// Use puts a snapshot in force for all requests whose head completes from now
// on. gone are the keys of upstreams that exist no more.
func (p *Pipeline) Use(s *config.Snapshot, gone []string) {
	p.snap.Store(s)
	for i := range p.lanes {
		p.lanes[i].forget(gone)
	}
	p.makeRoom()
}

// lane holds the positions of one loop. The lock is never contended when an
// engine gives each loop its own lane.
type lane struct {
	mu        sync.Mutex
	positions map[string]*position // by upstream key
	_         [64]byte
}

// position is where a lane stands in the targets of an upstream.
type position struct {
	up     *config.Upstream
	rr     *balance.RoundRobin
	usable balance.Usable
}

func (l *lane) forget(keys []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, k := range keys {
		delete(l.positions, k)
	}
}

func (p *Pipeline) pick(laneNo int, snap *config.Snapshot, up *config.Upstream, tried *balance.Tried) (int, bool) {
	l := &p.lanes[laneNo%len(p.lanes)]
	l.mu.Lock()
	defer l.mu.Unlock()
	pos := l.positions[up.Key]
	if pos == nil || pos.up != up {
		pos = &position{up: up, rr: balance.NewRoundRobin(up.Members, p.o.Seed+uint64(laneNo))}
		if p.o.Health != nil {
			pos.usable = p.o.Health(up)
		}
		// An upstream of an older snapshot may be gone, or replaced: nobody
		// would forget its position again. Use stores a snapshot before it
		// forgets under our lock, so what is kept here is still to be forgotten.
		if snap == p.snap.Load() {
			l.positions[up.Key] = pos
		}
	}
	return pos.rr.Pick(pos.usable, tried)
}

// flow is the pipeline's state of one exchange. It is allocated once for each
// Exchange and reused with it.
type flow struct {
	snap    *config.Snapshot
	route   *config.Route
	res     config.Resolved
	query   route.Query
	vars    vars.Request
	tried   balance.Tried
	target  *config.Target
	index   int // of target
	tries   []int
	begin   time.Time
	since   time.Time // when a target could be tried: begin, or when the body was there
	failure string
	path    string // to match by, while the body is waited for

	// For the meter: when the last target answered or failed, and whether it answered.
	heard    time.Time
	answered bool
}

func flowOf(x *exchange.Exchange) *flow {
	f, ok := x.State.(*flow)
	if !ok {
		f = &flow{}
		x.State = f
	}
	return f
}
