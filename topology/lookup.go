package topology

import (
	"fmt"
	"net/netip"
)

// Node returns the node named ref. The node belongs to the plan: do not change it.
func (p *Plan) Node(ref Ref) (*Node, bool) {
	for i := range p.Nodes {
		if p.Nodes[i].Ref == ref {
			return &p.Nodes[i], true
		}
	}
	return nil, false
}

// Select returns the nodes that the selector matches, in plan order.
func (p *Plan) Select(s Selector) []*Node {
	var nodes []*Node
	for i := range p.Nodes {
		if s.Match(p.Nodes[i].Ref) {
			nodes = append(nodes, &p.Nodes[i])
		}
	}
	return nodes
}

// OfKind returns the nodes of one kind, in plan order.
func (p *Plan) OfKind(k Kind) []*Node {
	var nodes []*Node
	for i := range p.Nodes {
		if p.Nodes[i].Kind == k {
			nodes = append(nodes, &p.Nodes[i])
		}
	}
	return nodes
}

// Link returns the link with the readable name, "bj/az1/l7-1--bj/az1/router".
func (p *Plan) Link(name string) (*Link, bool) {
	for i := range p.Links {
		if p.Links[i].Name == name {
			return &p.Links[i], true
		}
	}
	return nil, false
}

// LinksOf returns the links with an end in the node, in plan order; the first
// one is the node's uplink (routers and the edge have several neighbours).
func (p *Plan) LinksOf(ref Ref) []*Link {
	var links []*Link
	for i := range p.Links {
		if p.Links[i].A.Node == ref || p.Links[i].B.Node == ref {
			links = append(links, &p.Links[i])
		}
	}
	return links
}

// Between returns the links that join a and b, whichever end is which.
func (p *Plan) Between(a, b Ref) []*Link {
	var links []*Link
	for _, l := range p.LinksOf(a) {
		if far, ok := l.Far(a); ok && far.Node == b {
			links = append(links, l)
		}
	}
	return links
}

// Near returns the link's end in the node.
func (l *Link) Near(ref Ref) (End, bool) {
	switch ref {
	case l.A.Node:
		return l.A, true
	case l.B.Node:
		return l.B, true
	}
	return End{}, false
}

// Far returns the link's end that is not in the node.
func (l *Link) Far(ref Ref) (End, bool) {
	switch ref {
	case l.A.Node:
		return l.B, true
	case l.B.Node:
		return l.A, true
	}
	return End{}, false
}

// Address is where the node's own sockets listen and dial from: a guest's
// address in its VPC, the underlay address of everything else.
func (n *Node) Address() netip.Addr {
	if n.Guest != nil {
		return n.Guest.IP
	}
	return n.Underlay
}

// VIP returns the planned VIP with the name.
func (p *Plan) VIP(name string) (PlannedVIP, bool) {
	for _, v := range p.VIPs {
		if v.Name == name {
			return v, true
		}
	}
	return PlannedVIP{}, false
}

// AdminVIP returns the address at which L4 offers the region's l7admin nodes.
func (p *Plan) AdminVIP(region string) (netip.Addr, bool) {
	for _, v := range p.VIPs {
		if v.Region == region && v.Path == PathAdmin {
			return v.Address, true
		}
	}
	return netip.Addr{}, false
}

// EtcdEndpoints returns the client URLs of the region's etcd members, the same
// that every process of the region gets in --etcd.
func (p *Plan) EtcdEndpoints(region string) []string {
	var urls []string
	for i := range p.Nodes {
		if n := &p.Nodes[i]; n.Kind == KindEtcd && n.Region == region {
			urls = append(urls, etcdURL(n.Underlay, EtcdClientPort))
		}
	}
	return urls
}

func etcdURL(a netip.Addr, port uint16) string {
	return fmt.Sprintf("http://%s", netip.AddrPortFrom(a, port))
}
