package ha

import (
	"time"

	"github.com/unilb/unilb/conformance/cases/site"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/topology"
)

// caseTime is the time of a case that breaks something: each wait in it has a
// bound of its own.
const caseTime = 90 * time.Second

// faulty is what these cases ask of their place.
var faulty = []spec.Capability{spec.Region, spec.EBPF, spec.Faults}

// inVPC is what cases of tenants' networks ask of their place.
var inVPC = []spec.Capability{spec.Region, spec.VPC, spec.EBPF, spec.Faults}

// tenant is the public address of a tenant's network.
func tenant(t *spec.T) spec.EIP {
	e, _ := site.TwoVPCs(t)
	return e
}

// members selects every member of the store, and says how many there are.
func members(t *spec.T) (topology.Selector, []spec.Node) {
	nodes := t.Env().Nodes(topology.KindEtcd)
	if len(nodes) < 3 {
		t.Brokenf("want a store of three members, the place has %d", len(nodes))
	}
	return topology.Selector(nodes[0].Region + "/*/etcd-*"), nodes
}
