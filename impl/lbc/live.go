package lbc

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/unilb/unilb/impl/obs"
)

// live tells other replicas that this one lives, by a key under a lease, until
// ctx ends; then it tells them that it does not. Nothing is decided by this but
// who takes up work that nobody does: see dispatch and keep.
func (s *Service) live(ctx context.Context) error {
	if s.o.Etcd == nil {
		<-ctx.Done()
		return ctx.Err()
	}
	for ctx.Err() == nil {
		if err := s.liveOnce(ctx); err != nil && ctx.Err() == nil {
			s.log.Warn("not listed among the replicas", obs.Err, err)
			sleep(ctx, time.Second)
		}
	}
	return ctx.Err()
}

var errLeaseLost = errors.New("the lease ran out")

func (s *Service) liveOnce(ctx context.Context) error {
	const attempt = 5 * time.Second
	actx, cancel := context.WithTimeout(clientv3.WithRequireLeader(ctx), attempt)
	defer cancel()
	lease, err := s.o.Etcd.Grant(actx, int64(math.Ceil(s.o.LeaseTTL.Seconds())))
	if err != nil {
		return fmt.Errorf("get a lease: %w", err)
	}
	defer func() {
		rctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_, _ = s.o.Etcd.Revoke(rctx, lease.ID) // else it runs out
	}()
	if _, err := s.o.Etcd.Put(actx, replicaPrefix+s.instance, s.presence(), clientv3.WithLease(lease.ID)); err != nil {
		return fmt.Errorf("write the replica's key: %w", err)
	}
	beats, err := s.o.Etcd.KeepAlive(ctx, lease.ID)
	if err != nil {
		return fmt.Errorf("keep the lease: %w", err)
	}
	for range beats {
		continue
	}
	return errLeaseLost
}

// A replicaRecord is what a replica tells of itself.
type replicaRecord struct {
	Node      string       `json:"node"`
	Addresses []netip.Addr `json:"addresses"` // of its machine: no tenant may name them
}

func (s *Service) presence() string {
	return string(encode(replicaPrefix+s.instance, replicaRecord{s.o.Node, s.o.Addresses}).Value)
}

// alive returns the replicas that are listed.
func (s *Service) alive() map[string]bool {
	alive := make(map[string]bool)
	for key := range s.replicas.in("*") {
		alive[key[len(replicaPrefix):]] = true
	}
	return alive
}

// keeper reports whether this replica is the one that takes up what nobody
// does: the first in the order of instances. Two that both think so for a
// moment do the same work twice, and are ordered by the fences of their writes.
func (s *Service) keeper() bool {
	alive := s.alive()
	for instance := range alive {
		if instance < s.instance {
			return false
		}
	}
	return alive[s.instance]
}
