package check

import (
	"net/netip"
	"slices"

	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/topology"
)

// Facts are what a check must know about the place and cannot see in the
// history. They come from the plan, never from the system under test. They marshal
// to JSON: a run keeps them beside its history.
type Facts struct {
	Networks []Network                   `json:"networks,omitempty"` // who owns which addresses and host names
	Gateways map[netip.Addr]topology.Ref `json:"gateways,omitempty"` // source addresses by which gateways reach backends
	// Behind says on which node a backend depends: a guest on its hypervisor
	// host, a server on its router. What befalls that node befalls it.
	Behind map[topology.Ref]topology.Ref `json:"behind,omitempty"`
}

// FactsOf says what a plan alone tells: gateways, and where backends live.
// Networks are the tenants' doing.
func FactsOf(p *topology.Plan) Facts {
	f := Facts{Gateways: map[netip.Addr]topology.Ref{}, Behind: map[topology.Ref]topology.Ref{}}
	for _, n := range p.Nodes {
		switch n.Kind {
		case topology.KindL7:
			f.Gateways[n.Underlay] = n.Ref
			if n.Member.IsValid() {
				f.Gateways[n.Member] = n.Ref
			}
		case topology.KindGuest:
			f.Behind[n.Ref] = n.Guest.Host
		case topology.KindIDC:
			for _, l := range p.LinksOf(n.Ref) {
				if far, ok := l.Far(n.Ref); ok {
					f.Behind[n.Ref] = far.Node
				}
			}
		}
	}
	return f
}

// A Network is a tenant's network (or the data-centre network, VNI 0) with the
// names and addresses under which clients reach it.
type Network struct {
	Name  string       `json:"name"`
	VNI   uint32       `json:"vni,omitempty"`
	Addrs []netip.Addr `json:"addrs,omitempty"` // EIPs and VIPs
	Hosts []string     `json:"hosts,omitempty"` // for requests that go to an address nobody owns, or several do
	// Backends are all that were ever targets of it. Empty: not known, and then the
	// VNI alone tells networks apart.
	Backends []topology.Ref `json:"backends,omitempty"`
}

// mayReach says whether a request for the network may arrive there.
func (n Network) mayReach(a history.Arrival) bool {
	return a.VNI == n.VNI && (len(n.Backends) == 0 || slices.Contains(n.Backends, a.Backend))
}

// networkOf says for which network an operation was meant. The address decides:
// a foreign host name on somebody's EIP is still that tenant's request. Where it is
// the address of several, or of nobody, the host name does.
func (f Facts) networkOf(o history.Op) (Network, bool) {
	there := f.Networks
	if to, err := netip.ParseAddrPort(o.To); err == nil {
		var owners []Network
		for _, n := range f.Networks {
			if slices.Contains(n.Addrs, to.Addr()) {
				owners = append(owners, n)
			}
		}
		if len(owners) == 1 {
			return owners[0], true
		}
		if len(owners) > 0 {
			there = owners
		}
	}
	for _, n := range there {
		if slices.Contains(n.Hosts, o.Request.Host) {
			return n, true
		}
	}
	return Network{}, false
}

// gatewayOf says through which gateway a request arrived.
func (f Facts) gatewayOf(a history.Arrival) (topology.Ref, bool) {
	from, err := netip.ParseAddrPort(a.From)
	if err != nil {
		return "", false
	}
	ref, ok := f.Gateways[from.Addr().Unmap()]
	return ref, ok
}
