package lbc

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"golang.org/x/sync/errgroup"

	"github.com/unilb/unilb/impl/node"
	"github.com/unilb/unilb/impl/obs"
	"github.com/unilb/unilb/impl/store"
	"github.com/unilb/unilb/impl/vpc"
)

// Options of a Service. Store, AdminURL and APIKey are required.
type Options struct {
	Store *store.Store
	// Etcd grants the lease by which other replicas see that this one lives.
	// Without it a replica never takes over another's work and never ends a
	// drain or a quarantine.
	Etcd *clientv3.Client
	// Node names the replica in logs; it need not be unique.
	Node string
	// AdminURL is the base of the Admin API, e.g. http://10.0.0.5:9180.
	AdminURL string
	AdminKey string
	// APIKey is what requests must carry in X-API-KEY. With an empty key every
	// request is refused.
	APIKey string
	// AdminVIP is the address and port at which L4 is to serve the Admin API;
	// the zero value leaves that to somebody else.
	AdminVIP netip.AddrPort
	// EIPRanges are where addresses of load balancers may lie. Empty: anywhere
	// but in what is protected.
	EIPRanges []netip.Prefix
	// Infrastructure are addresses that no tenant may name, beside those of
	// registered nodes: etcd's and the Admin API's.
	Infrastructure []netip.Addr
	// Addresses are those of this replica's machine; they are protected likewise,
	// by all replicas while this one lives.
	Addresses []netip.Addr
	// Protect are networks that no tenant may name, as an EIP or as an IDC target.
	Protect []netip.Prefix
	// Pool is where unique IPs come from. The zero Pool has none.
	Pool vpc.Pool
	// Drain is how long a mapping outlives its last use in the configuration of
	// any gateway. Zero means 60 s. Drain and Quarantine are counted from the
	// decision to begin them, a commit earlier than their beginning.
	Drain time.Duration
	// Quarantine is how long an address without mapping stays unused. Zero means
	// 10 min.
	Quarantine time.Duration
	// MappingWait is how long a publication waits for agents to have mappings in
	// force before it goes on. Zero means 5 s.
	MappingWait time.Duration
	// LeaseTTL is how long a silent replica counts as alive. Zero means 5 s; etcd
	// grants nothing below about 2 s.
	LeaseTTL time.Duration
	Log      *slog.Logger
}

// A Service is one replica of the tenant control plane.
type Service struct {
	o        Options
	store    *store.Store
	admin    *adminClient
	status   *node.Client // to status listeners
	log      *slog.Logger
	instance string // random per process, sorts replicas

	// writing serialises the changes of the model that this replica makes: they
	// would only refuse each other.
	writing sync.Mutex

	mu      sync.RWMutex
	model   *Model
	rev     int64         // of the last batch in the model
	changed chan struct{} // closed and replaced when the model changes

	apisix    *mirror // what is stored below /apisix and has one of our ids, by unit
	listeners *mirror // by load balancer
	vips      *mirror // by address
	nodes     *mirror // registrations and reports
	ops       *mirror
	replicas  *mirror

	queue  *queue
	agents frontier    // mappings that were waited for
	track  chan string // operations to follow
	drifts drifts

	// step is called before each step of a publication; tests stop there.
	step func(ctx context.Context, u unit, name string) error
}

// New returns a replica; Run makes it work.
func New(o Options) (*Service, error) {
	if o.Store == nil || o.AdminURL == "" {
		return nil, errors.New("new lbc: a store and the URL of the Admin API are required")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	for _, d := range []struct {
		value  *time.Duration
		absent time.Duration
	}{
		{&o.Drain, 60 * time.Second}, {&o.Quarantine, 10 * time.Minute},
		{&o.MappingWait, 5 * time.Second}, {&o.LeaseTTL, 5 * time.Second},
	} {
		if *d.value <= 0 {
			*d.value = d.absent
		}
	}
	var id [6]byte
	_, _ = rand.Read(id[:]) // documented to never fail
	s := &Service{
		o: o, store: o.Store, log: o.Log, instance: hex.EncodeToString(id[:]),
		admin:   newAdminClient(o.AdminURL, o.AdminKey),
		status:  node.NewClient(keptConns),
		model:   newModel(o.Pool),
		changed: make(chan struct{}),
		track:   make(chan string, maxTrackers),
		drifts:  drifts{signal: make(chan struct{}, 1)},
		step:    func(context.Context, unit, string) error { return nil },
	}
	s.queue = newQueue(s.publish)
	s.apisix = newMirror(apisixBucket, s.drifts.add)
	s.listeners = newMirror(listenerBucket, s.drifts.add)
	s.vips = newMirror(func(key string) string { return strings.TrimPrefix(key, vipPrefix) }, nil)
	s.nodes = newMirror(nodeBucket, nil)
	s.ops = newMirror(nil, nil)
	s.replicas = newMirror(nil, nil)
	return s, nil
}

// Run works until ctx ends: it follows etcd, publishes what this replica was
// asked for, and what others left behind. It returns the error of ctx. Publications
// under way stop between two steps; whoever is left finishes them.
func (s *Service) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, w := range []struct {
		prefix string
		apply  func(store.Batch)
	}{
		{statePrefix, s.applyModel},
		{"/apisix", s.apisix.apply},
		{listenerPrefix, s.listeners.apply},
		{vipPrefix, s.vips.apply},
		{nodesPrefix, s.nodes.apply},
		{operationPrefix, s.ops.apply},
		{replicaPrefix, s.replicas.apply},
	} {
		g.Go(func() error { return s.store.Watch(ctx, w.prefix, w.apply) })
	}
	for _, f := range []func(context.Context) error{s.live, s.dispatch, s.keep, s.trackAll} {
		g.Go(func() error {
			if err := s.Loaded(ctx); err != nil {
				return err
			}
			return f(ctx)
		})
	}
	err := g.Wait()
	s.queue.wait()
	return err
}

// applyModel takes over a batch of the state directory.
func (s *Service) applyModel(b store.Batch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if b.Reset {
		s.model = newModel(s.o.Pool)
	}
	for _, kv := range b.Puts {
		if err := s.model.put(kv); err != nil {
			s.log.Error("unreadable object left out", obs.Key, kv.Key, obs.Err, err)
		}
	}
	for _, key := range b.Deletes {
		s.model.remove(key)
	}
	s.rev = b.Revision
	close(s.changed)
	s.changed = make(chan struct{})
}

// view calls f with the model, which f must not keep.
func (s *Service) view(f func(m *Model)) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	f(s.model)
}

// until waits until ok returns true, asking again at each change of the model.
func (s *Service) until(ctx context.Context, ok func(m *Model, rev int64) bool) error {
	for {
		s.mu.RLock()
		done, changed := ok(s.model, s.rev), s.changed
		s.mu.RUnlock()
		if done {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Loaded waits until the replica knows what is in etcd.
func (s *Service) Loaded(ctx context.Context) error {
	if err := s.until(ctx, func(_ *Model, rev int64) bool { return rev > 0 }); err != nil {
		return err
	}
	for _, m := range []*mirror{s.apisix, s.listeners, s.vips, s.nodes, s.ops, s.replicas} {
		for {
			next := m.next()
			if m.isLoaded() {
				break
			}
			select {
			case <-next:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
	return nil
}

// apisixBucket sorts our objects by the unit they belong to.
func apisixBucket(key string) string {
	dir, id := splitKey(key)
	rest, ok := strings.CutPrefix(id, idPrefix)
	if !ok {
		return ""
	}
	name, _, _ := strings.Cut(rest, ".")
	switch dir {
	case dirUpstreams:
		return unit{kindTG, name}.String()
	case dirServices, dirRoutes:
		return unit{kindLB, name}.String()
	}
	return ""
}

func listenerBucket(key string) string {
	lb, _, ok := strings.Cut(strings.TrimPrefix(key, listenerPrefix), ".")
	if !ok {
		return ""
	}
	return unit{kindLB, lb}.String()
}

func splitKey(key string) (dir, id string) {
	i := strings.LastIndexByte(key, '/')
	return key[:max(i, 0)], key[i+1:]
}

// EnsureAdminVIP writes the VIP of the Admin API, trying until etcd takes it.
func (s *Service) EnsureAdminVIP(ctx context.Context) error {
	if !s.o.AdminVIP.IsValid() {
		return nil
	}
	key := vipKey(s.o.AdminVIP.Addr())
	vip := encode(key, wireVIP{
		Address: s.o.AdminVIP.Addr(), Pool: poolAdmin,
		Ports: []vipPort{{Port: s.o.AdminVIP.Port(), Protocol: "tcp"}},
	})
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, 2*time.Second) {
		kv, ok, _, err := s.store.Get(ctx, key)
		if err == nil && ok && slices.Equal(kv.Value, vip.Value) {
			return nil
		}
		if err == nil {
			_, err = s.store.Commit(ctx, []store.Cond{{Key: key, Mod: kv.Mod}}, store.Op{Key: key, Value: vip.Value})
		}
		if err == nil {
			return nil
		}
		s.log.Warn("VIP of the Admin API not written yet", obs.Key, key, obs.Err, err)
		if !sleep(ctx, pause) {
			return fmt.Errorf("write the VIP of the Admin API: %w", ctx.Err())
		}
	}
}
