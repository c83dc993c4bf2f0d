package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sync/errgroup"

	"github.com/unilb/unilb/impl/node"
	"github.com/unilb/unilb/impl/obs"
	"github.com/unilb/unilb/impl/store"
)

const (
	// auditInterval is how often the kernel is compared with what is wanted. An
	// audit of 100 000 mappings takes 0.4 s on a small machine.
	auditInterval = time.Minute
	// retryPause separates attempts to put into the kernel what it refused.
	retryPause = time.Second
)

// A Role says what the node is. The zero value is invalid.
type Role string

// The roles of an agent.
const (
	Gateway Role = "gateway" // tunnel from L4, VIPs, FNAT
	Member  Role = "member"  // tunnel from L4, VIPs
	Host    Role = "host"    // vswitch
)

// Options say which node this is. Fields are required unless it says otherwise.
type Options struct {
	Role     Role
	Node     string     // its name; a host's guests are the ports that name it
	Pool     string     // whose VIPs belong on lo; not for hosts
	Underlay netip.Addr // the node's VTEP
	Member   netip.Addr // not for hosts
	Uplink   string     // the device that carries the tunnels
	PinDir   string     // in a bpffs
	// Etcd are addresses that are never VIPs here, because etcd is there.
	Etcd []netip.Addr
	Log  *slog.Logger
}

// Validate reports the first option that cannot be right, by its flag.
func (o Options) Validate() error {
	switch {
	case o.Role != Gateway && o.Role != Member && o.Role != Host:
		return fmt.Errorf("--role %q: want gateway, member or host", o.Role)
	case o.Node == "":
		return errors.New("--node is missing: the name of this node, such as bj/az1/l7-1")
	case !o.Underlay.Is4():
		return errors.New("--underlay is missing: the IPv4 address of this node on the physical network")
	case o.Uplink == "":
		return errors.New("--uplink is missing: the device that carries the tunnels, such as eth0")
	case o.PinDir == "":
		return errors.New("--pin-dir is missing: a directory in a bpffs")
	case o.Role != Host && !memberPrefix.Contains(o.Member):
		return fmt.Errorf("--member-address %s: want an address of %s", o.Member, memberPrefix)
	case o.Role != Host && o.Pool == "":
		return errors.New("--pool is missing: l7gw or l7admin")
	}
	return nil
}

// Registration returns how the node is known in the region.
func (o Options) Registration(region, zone, status string) node.Registration {
	r := node.Registration{
		Name: o.Node, Kind: kindAgent, Region: region, Zone: zone,
		Underlay: o.Underlay, Member: o.Member, Status: status,
	}
	switch o.Role {
	case Gateway:
		r.Watches = []string{vpcPrefix, l4Prefix}
	case Member:
		r.Watches = []string{l4Prefix}
	case Host:
		r.Kind, r.Member, r.Watches = kindHost, netip.Addr{}, []string{vpcPrefix}
	}
	return r
}

// watcher is the part of the store that an agent needs.
type watcher interface {
	Watch(ctx context.Context, prefix string, apply func(store.Batch)) error
}

// reporter is the part of a node.Node that an agent needs.
type reporter interface {
	Applied(prefix string, rev int64)
	Refuse(key string, err error)
	Accept(key string)
}

// A follower makes one part of the kernel follow one directory of etcd. Its
// methods are called one at a time.
type follower interface {
	// apply takes a batch over. An error means that the kernel does not have
	// all of it yet; audit is then tried until it succeeds.
	apply(b store.Batch) error
	// audit makes the kernel have exactly what is wanted.
	audit() error
}

// An Agent keeps the kernel state of one node right.
type Agent struct {
	o     Options
	st    watcher
	rep   reporter
	ready func() // called once, when everything wanted is in the kernel
	nl    *netlink.Handle
	log   *slog.Logger
	retry chan struct{} // capacity 1: something is pending

	mu      sync.Mutex // serialises all changes of the kernel
	follows []*following
	set     *setup
}

// following is the progress of one follower.
type following struct {
	follower
	prefix  string
	report  bool  // the prefix is one that the node's report names
	seen    int64 // revision of the last batch; 0: none yet
	pending bool  // the kernel lacks something of it
	waiting bool  // only because another directory is not known yet
}

// New returns an agent. Ready is called once, when everything that etcd holds
// for this node has been put into the kernel for the first time.
func New(o Options, st watcher, rep reporter, ready func()) (*Agent, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	nl, err := netlink.NewHandle()
	if err != nil {
		return nil, fmt.Errorf("open netlink socket: %w", err)
	}
	return &Agent{o: o, st: st, rep: rep, ready: ready, nl: nl, log: o.Log, retry: make(chan struct{}, 1)}, nil
}

// Run makes the node's devices, then follows etcd until ctx ends (nil), or until
// a device it made is gone (an error: starting again makes it anew). The data
// plane stays in place when Run returns.
func (a *Agent) Run(ctx context.Context) error {
	set, err := a.setup()
	if err != nil {
		return err
	}
	defer set.close()
	a.set, a.follows = set, set.follows
	g, ctx := errgroup.WithContext(ctx)
	for _, f := range a.follows {
		g.Go(func() error { return a.st.Watch(ctx, f.prefix, func(b store.Batch) { a.apply(f, b) }) })
	}
	g.Go(func() error { return a.maintain(ctx) })
	g.Go(func() error { return a.watchLinks(ctx) })
	if err := g.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// apply puts a batch into the kernel and reports its revision as in force, or
// leaves it to maintain when the kernel refused.
func (a *Agent) apply(f *following, b store.Batch) {
	a.mu.Lock()
	defer a.mu.Unlock()
	err := f.apply(b)
	f.seen = b.Revision
	if err == nil && !f.pending {
		a.inForce(f)
		a.resume()
		return
	}
	if errors.Is(err, errRegistryUnknown) {
		f.pending, f.waiting = true, true
		return // its first batch resumes f
	}
	// An error, or an earlier one that an audit has not cleared yet.
	if err != nil {
		a.log.Warn("kernel state not complete", obs.Prefix, f.prefix, obs.Rev, b.Revision, obs.Err, err)
	}
	f.pending = true
	select {
	case a.retry <- struct{}{}:
	default:
	}
}

// resume takes up what waited for a directory that may be known now. a.mu is held.
func (a *Agent) resume() {
	for _, f := range a.follows {
		if f.waiting && f.audit() == nil {
			a.inForce(f)
		}
	}
}

// inForce reports what f has seen as in force. a.mu is held.
func (a *Agent) inForce(f *following) {
	f.pending, f.waiting = false, false
	if f.report {
		a.rep.Applied(f.prefix, f.seen)
	}
	if a.ready == nil {
		return
	}
	for _, f := range a.follows {
		if f.seen == 0 || f.pending {
			return
		}
	}
	a.ready()
	a.ready = nil
}

// maintain audits everything from time to time, and what is pending soon.
func (a *Agent) maintain(ctx context.Context) error {
	audit := time.NewTicker(auditInterval)
	defer audit.Stop()
	var again <-chan time.Time
	for {
		pendingOnly := true
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-a.retry:
			again = time.After(retryPause)
			continue
		case <-again:
		case <-audit.C:
			pendingOnly = false
		}
		again = nil
		left, err := a.auditAll(pendingOnly)
		if err != nil {
			return err
		}
		if left {
			again = time.After(retryPause)
		}
	}
}

// auditAll audits the followers that have seen a batch, or those of them that
// are pending, and reports whether some are pending afterwards. An error is
// about a device that is gone.
func (a *Agent) auditAll(pendingOnly bool) (left bool, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !pendingOnly {
		if err := a.set.check(); err != nil {
			return false, err
		}
	}
	for _, f := range a.follows {
		if f.seen == 0 || pendingOnly && !f.pending {
			continue
		}
		if err := f.audit(); err != nil {
			f.pending, left = true, true
			a.log.Warn("kernel state not complete", obs.Prefix, f.prefix, obs.Rev, f.seen, obs.Err, err)
			continue
		}
		a.inForce(f)
	}
	return left, nil
}
