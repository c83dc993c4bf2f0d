package fault

import (
	"fmt"

	"github.com/unilb/unilb/topology"
)

// CheckPlan implements Planned: every link must be a wire.
func (f Impair) CheckPlan(p *topology.Plan) error {
	for i := range p.Links {
		l := &p.Links[i]
		if f.Link.Match(l.A.Node, l.B.Node) && l.Kind != topology.LinkWire {
			return fmt.Errorf("%s is a link of the kernel, which cannot be impaired; %s", l.Name, wireHint)
		}
	}
	return nil
}

// CheckPlan implements Planned: every node must have a disk that can be slow.
func (f EtcdSlowDisk) CheckPlan(p *topology.Plan) error {
	for _, n := range p.Select(f.On) {
		if n.Disk != topology.DiskFUSE {
			return fmt.Errorf("the disk of %s cannot be slow; say etcd: {disk: {impairable: true}} in its region of the topology file", n.Ref)
		}
	}
	return nil
}

// CheckPlan implements Planned: there must be a member to take over.
func (f EtcdLeaderLoss) CheckPlan(p *topology.Plan) error {
	count := map[string]int{}
	for _, n := range p.OfKind(topology.KindEtcd) {
		if f.Region == "" || n.Region == f.Region {
			count[n.Region]++
		}
	}
	for region, n := range count {
		if n < 3 {
			return fmt.Errorf("the store of region %s has %d members: with one gone nobody can lead; three at least", region, n)
		}
	}
	if len(count) == 0 {
		return fmt.Errorf("no region %q has a store", f.Region)
	}
	return nil
}
