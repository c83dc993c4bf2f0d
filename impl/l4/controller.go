package l4

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/unilb/unilb/impl/node"
	"github.com/unilb/unilb/impl/obs"
	"github.com/unilb/unilb/impl/store"
)

// Watches is the directory that must be in force on a node for a change of a
// VIP to count as in force.
const Watches = "/unilb/l4"

// registry is the directory of registrations, spelled like Watches.
var registry = strings.TrimSuffix(node.RegistryPrefix, "/")

const (
	// checkInterval is how often the data path is looked at, and how soon a
	// change that it did not take is tried again.
	checkInterval = time.Second
)

// Plane is the data path as the controller uses it. Apply and Attach are
// idempotent: the controller repeats them after an error without knowing how far
// they came.
type Plane interface {
	Adopted() Adopted
	Apply(Desired) error
	Attach() error // from now on packets of the uplink are forwarded
	Check() error  // nil while programs and devices are in place
}

// Adopted is what a data path forwarded before this process began.
type Adopted struct {
	VIPs    []VIP
	Members []Record
	Rings   map[Pool][]RingMember // who held slots
}

// Reporter is the part of the node that the controller tells what is in force.
type Reporter interface {
	Applied(prefix string, rev int64)
	Refuse(key string, err error)
	Accept(key string)
	SetState(node.State)
}

// Watcher follows a directory of etcd; store.Store is one.
type Watcher interface {
	Watch(ctx context.Context, prefix string, apply func(store.Batch)) error
}

// A Controller keeps the data path in line with etcd and with what the probes
// find. Safe for concurrent use.
type Controller struct {
	plane  Plane
	prober *Prober
	report Reporter
	log    *slog.Logger
	poke   chan struct{}
	ready  chan struct{} // closed when served

	mu       sync.Mutex
	dir      *directory
	seeds    map[memberKey]State // of members that were adopted
	known    map[string]bool     // directories that were read, or adopted
	pending  map[string]int64    // revisions read and not yet in force
	refused  map[string]string
	desired  Desired // last computed
	rings    map[Pool]Ring
	failOpen map[Pool]bool // nobody was up
	settling map[Pool]bool // somebody is, and the others are judged anew
	lacks    map[Pool]lack // of pools with VIPs and without a ring
	applyErr error
	pathErr  error
	attached bool
	served   bool // was ready once
	draining bool
}

// ControllerOptions configure a Controller; all but Log are required.
type ControllerOptions struct {
	Underlay string // own address
	Plane    Plane
	Report   Reporter
	Prober   ProberOptions // Changed is set by the controller
	Log      *slog.Logger
}

// NewController returns a controller that continues what the plane adopted.
func NewController(o ControllerOptions) *Controller {
	c := &Controller{
		plane: o.Plane, report: o.Report, log: o.Log, poke: make(chan struct{}, 1), ready: make(chan struct{}),
		dir:   newDirectory(o.Underlay),
		seeds: map[memberKey]State{}, known: map[string]bool{}, pending: map[string]int64{},
		refused: map[string]string{}, rings: map[Pool]Ring{}, failOpen: map[Pool]bool{}, settling: map[Pool]bool{},
		lacks: map[Pool]lack{},
	}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	o.Prober.Changed = c.wake
	c.prober = NewProber(o.Prober)
	c.adopt(o.Plane.Adopted())
	return c
}

// adopt takes over what the kernel forwards already: it is the last good
// configuration, and a node that restarts while etcd is away serves with it.
func (c *Controller) adopt(a Adopted) {
	for _, v := range a.VIPs {
		c.dir.vips[VIPPrefix+v.Addr.String()] = v
	}
	for _, r := range a.Members {
		c.dir.members[node.RegistryKey(r.Pool.String(), r.Name)] = r.Member
		c.seeds[r.key()] = r.State
	}
	for p, members := range a.Rings {
		c.rings[p] = BuildRing(members)
	}
	if len(a.VIPs) > 0 && len(a.Members) > 0 {
		c.known[Watches], c.known[registry] = true, true
		c.log.Info("data path adopted", "vips", len(a.VIPs), "members", len(a.Members))
	}
}

// wake lets Run look at the members again.
func (c *Controller) wake() {
	select {
	case c.poke <- struct{}{}:
	default:
	}
}

// Run follows etcd and the probes until ctx ends. The data path keeps forwarding
// afterwards.
func (c *Controller) Run(ctx context.Context, w Watcher) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { c.prober.Run(ctx) })
	wg.Go(func() {
		_ = w.Watch(ctx, Watches, func(b store.Batch) { c.take(Watches, b, c.dir.takeVIPs) })
	})
	wg.Go(func() {
		_ = w.Watch(ctx, registry, func(b store.Batch) { c.take(registry, b, c.dir.takeRegistrations) })
	})
	tick := time.NewTicker(checkInterval)
	defer tick.Stop()
	c.step(true)
	for {
		select {
		case <-c.poke:
			c.step(false)
		case <-tick.C:
			c.step(true)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// take puts a batch into force. Its revision is reported when the data path has
// taken it and forwards, which is later than the return of take after an error, and
// while a VIP waits for the first probes of its pool.
func (c *Controller) take(prefix string, b store.Batch, into func(store.Batch)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	into(b)
	c.known[prefix] = true
	c.pending[prefix] = b.Revision
	c.reconcile()
	c.judge()
}

// step looks at the members' states again, and with check also at the data path.
func (c *Controller) step(check bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reconcile()
	if check && c.attached {
		err := c.plane.Check()
		if (err == nil) != (c.pathErr == nil) {
			c.log.Warn("data path check changed", obs.Err, err)
		}
		c.pathErr = err
	}
	c.judge()
}
