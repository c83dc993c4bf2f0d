package lab

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/unilb/unilb/sim/etcd"
	"github.com/unilb/unilb/sim/fault"
	"github.com/unilb/unilb/topology"
)

// Stores implements fault.Stores.
func (t target) Stores() []string {
	var out []string
	for _, n := range t.lab.plan.OfKind(topology.KindEtcd) {
		if !slices.Contains(out, n.Region) {
			out = append(out, n.Region)
		}
	}
	return out
}

// Store implements fault.Stores.
func (t target) Store(region string) []fault.Member {
	var out []fault.Member
	for _, n := range t.lab.plan.OfKind(topology.KindEtcd) {
		if n.Region == region {
			node := t.lab.nodes[n.Ref]
			out = append(out, member{machine{node}, node.Etcd()})
		}
	}
	return out
}

// A member shows an etcd node to faults.
type member struct {
	machine
	*etcd.Member
}

// PeerURL implements fault.Member.
func (m member) PeerURL() string {
	return fmt.Sprintf("http://%s", netip.AddrPortFrom(m.n.plan.Underlay, topology.EtcdPeerPort))
}

// Etcd asks the etcd of the node, from the node itself: no fault of the network
// comes between. It is for nodes of kind etcd.
func (n *Node) Etcd() *etcd.Member {
	return etcd.New(n, netip.AddrPortFrom(n.plan.Underlay, topology.EtcdClientPort))
}
