package topology

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
)

// Check says whether the plan can be built and would work: every reference
// resolves, interfaces have usable names, addresses are unique, servers have
// numbered uplinks, routes leave by an interface that reaches their gateway.
// Plan has checked its result; a plan that was read from a file has not been.
func (p *Plan) Check() error {
	c := planChecker{plan: p, ports: map[port]End{}, nodes: map[Ref]*Node{}, owner: map[netip.Addr]Ref{}}
	for i := range p.Nodes {
		n := &p.Nodes[i]
		if c.nodes[n.Ref] != nil {
			c.fail("node %s: a second one of this name", n.Ref)
		}
		c.nodes[n.Ref] = n
	}
	for i := range p.Links {
		c.link(&p.Links[i])
	}
	for _, g := range p.Groups {
		for _, leg := range g.Legs {
			c.hop(g.Node, leg.Via, leg.Dev, "leg to "+string(leg.To))
		}
	}
	for i := range p.Nodes {
		c.node(&p.Nodes[i])
	}
	return errors.Join(c.errs...)
}

type port struct {
	node Ref
	name string
}

type planChecker struct {
	plan  *Plan
	nodes map[Ref]*Node
	ports map[port]End       // both ends of every link
	owner map[netip.Addr]Ref // of addresses outside VPCs
	errs  []error
}

func (c *planChecker) fail(format string, args ...any) {
	c.errs = append(c.errs, fmt.Errorf(format, args...))
}

func (c *planChecker) link(l *Link) {
	switch {
	case l.Kind != LinkVeth && l.Kind != LinkWire:
		c.fail("link %s: unknown kind %q", l.Name, l.Kind)
	case !l.Impair.IsZero() && l.Kind != LinkWire:
		c.fail("link %s: only a wire can delay or lose frames", l.Name)
	}
	c.mtu(l)
	for _, e := range []End{l.A, l.B} {
		n := c.nodes[e.Node]
		if n == nil {
			c.fail("link %s: no node %s", l.Name, e.Node)
			continue
		}
		const longest = 15 // bytes of an interface's name that the kernel takes
		if e.If == "" || len(e.If) > longest {
			c.fail("link %s: interface name %q; want 1 to %d bytes", l.Name, e.If, longest)
		}
		if e.MAC != "" {
			if _, err := net.ParseMAC(e.MAC); err != nil {
				c.fail("link %s: %w", l.Name, err)
			}
		}
		at := port{e.Node, e.If}
		if _, taken := c.ports[at]; taken {
			c.fail("link %s: %s has a second interface %s", l.Name, e.Node, e.If)
		}
		c.ports[at] = e
		c.address(l, n, e)
	}
}

// mtu holds the fabric to its invariant: every link of the underlay carries 1600
// bytes, an inner packet of 1550 and the 50 of VXLAN around it; what is outside
// the underlay has 1500, as the world has.
func (c *planChecker) mtu(l *Link) {
	want := underlayMTU
	for _, e := range []End{l.A, l.B} {
		if n := c.nodes[e.Node]; n != nil && (n.Kind == KindClient || n.Kind == KindIDC || n.Kind == KindGuest) {
			want = outsideMTU
		}
	}
	if l.MTU != want {
		c.fail("link %s: mtu %d; want %d", l.Name, l.MTU, want)
	}
}

// address checks that an end is numbered, and that nobody else has its address.
// An unnumbered uplink would make the kernel choose a source address, and on a
// gateway it chooses a VIP. Only a host's ends of its guests' links have none.
func (c *planChecker) address(l *Link, n *Node, e End) {
	far, _ := l.Far(e.Node)
	if !e.Addr.IsValid() {
		if peer := c.nodes[far.Node]; n.Kind != KindHost || peer == nil || peer.Kind != KindGuest {
			c.fail("link %s: the end in %s has no address", l.Name, e.Node)
		}
		return
	}
	if n.Kind == KindGuest {
		return
	}
	if first, taken := c.owner[e.Addr.Addr()]; taken {
		c.fail("link %s: %s has the address of %s (%s)", l.Name, e.Node, first, e.Addr.Addr())
	}
	c.owner[e.Addr.Addr()] = e.Node
}

func (c *planChecker) node(n *Node) {
	if _, known := rank[n.Kind]; !known {
		c.fail("node %s: unknown kind %q", n.Ref, n.Kind)
	}
	if n.Disk != "" && n.Disk != DiskFUSE {
		c.fail("node %s: unknown disk %q", n.Ref, n.Disk)
	}
	for _, r := range n.Routes {
		switch {
		case r.Group != "" && (r.Via.IsValid() || r.Dev != ""):
			c.fail("node %s: route to %s has a gateway and a group", n.Ref, r.Dst)
		case r.Group != "":
			if !c.group(n.Ref, r.Group) {
				c.fail("node %s: route to %s: no group %q", n.Ref, r.Dst, r.Group)
			}
		default:
			c.hop(n.Ref, r.Via, r.Dev, "route to "+r.Dst.String())
			if own := c.ports[port{n.Ref, r.Dev}]; !r.Src.IsValid() || own.Addr.Addr() != r.Src {
				c.fail("node %s: route to %s: src %s is not the address of %s", n.Ref, r.Dst, r.Src, r.Dev)
			}
		}
	}
	for _, d := range n.Deny {
		for _, name := range d.InIfs {
			if _, ok := c.ports[port{n.Ref, name}]; !ok {
				c.fail("node %s: deny: no interface %s", n.Ref, name)
			}
		}
	}
	for i, p := range n.Processes {
		if (p.Binary == "") != p.Gateway {
			c.fail("node %s: process %s: a gateway and nothing else has no binary", n.Ref, p.Name)
		}
		for _, q := range n.Processes[:i] {
			if q.Name == p.Name {
				c.fail("node %s: a second process %s", n.Ref, p.Name)
			}
		}
	}
}

// hop checks that a gateway's address is on the network of the interface.
func (c *planChecker) hop(node Ref, via netip.Addr, dev, what string) {
	own, ok := c.ports[port{node, dev}]
	switch {
	case !ok:
		c.fail("node %s: %s: no interface %q", node, what, dev)
	case !own.Addr.IsValid() || !own.Addr.Masked().Contains(via):
		c.fail("node %s: %s: %s is not on the network of %s (%s)", node, what, via, dev, own.Addr)
	}
}

func (c *planChecker) group(node Ref, name string) bool {
	for _, g := range c.plan.Groups {
		if g.Node == node && g.Name == name {
			return true
		}
	}
	return false
}
