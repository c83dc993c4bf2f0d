//go:build scenarios

package kit

import (
	"context"
	"errors"
	"net/netip"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/unilb/unilb/sim/etcd"
	"github.com/unilb/unilb/topology"
)

// store are the etcd members and their nodes, asked from the edge router.
func (r *Region) store() (nodes []topology.Node, members []*etcd.Member) {
	GinkgoHelper()
	from := r.from(topology.KindEdge)
	for _, n := range r.Plan.OfKind(topology.KindEtcd) {
		nodes = append(nodes, *n)
		members = append(members, etcd.New(from, netip.AddrPortFrom(n.Underlay, topology.EtcdClientPort)))
	}
	return nodes, members
}

// EtcdLeader is the etcd member that leads now.
func EtcdLeader(ctx context.Context, r *Region) topology.Selector {
	GinkgoHelper()
	nodes, members := r.store()
	var leader topology.Ref
	Eventually(ctx, func(g Gomega) {
		i, err := etcd.Leader(ctx, members...)
		g.Expect(err).NotTo(HaveOccurred())
		leader = nodes[i].Ref
	}).WithTimeout(Bound).WithPolling(100 * time.Millisecond).Should(Succeed())
	return topology.Selector(leader)
}

// values reads everything below a prefix.
func (r *Region) values(ctx context.Context, prefix string) ([][]byte, error) {
	err := errors.New("the topology has no etcd")
	_, members := r.store()
	for _, m := range members {
		var a etcd.Answer
		if a, err = m.Range(ctx, etcd.Query{Prefix: prefix}); err != nil {
			continue
		}
		var out [][]byte
		for _, kv := range a.KVs {
			out = append(out, kv.Value)
		}
		return out, nil
	}
	return nil, err
}
