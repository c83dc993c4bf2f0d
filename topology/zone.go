package topology

import (
	"fmt"
	"net/netip"
)

// zoneServers plans the L4 nodes, hosts and gateways of an AZ.
func (b *builder) zoneServers(r *regionBuild, z *zoneBuild) {
	for i := 1; i <= z.L4; i++ {
		n := b.node(member(r.Name, z.Name, "l4", i), KindL4, r.Name, z.Name)
		b.uplink(plain, n, r.edge, l4Pair(r.index, z.index, i))
		n.Processes = []Process{l4Process(r, n)}
	}
	for i := 1; i <= z.Hosts; i++ {
		n := b.node(member(r.Name, z.Name, "host", i), KindHost, r.Name, z.Name)
		b.uplink(plain, n, z.router, serverPair(r.index, z.index, slotHost, i))
		if !r.Bare {
			n.Processes = []Process{hostAgent(r, n)}
		}
	}
	for i := 1; i <= z.L7; i++ {
		n := b.node(member(r.Name, z.Name, "l7", i), KindL7, r.Name, z.Name)
		b.uplink(plain, n, z.router, serverPair(r.index, z.index, slotL7, i))
		if r.hasL4() || r.hasHosts() {
			r.members++
			n.Member = memberAddr(r.index, r.members)
		}
		n.Processes = gatewayProcesses(r, n, b.spec.gatewayOf(r.Region, z.AZ, n.Ref.Name()))
	}
}

// idc plans a pool: servers on the AZ's router, and the pool's network routed
// from the edge and from the other AZs.
func (b *builder) idc(r *regionBuild, p *IDC) {
	z := r.zone(p.AZ)
	cable := outside.over(b.spec.wiring(r.Region, p.Wire, "regions."+r.Name+".idc."+p.Name+".wire"))
	var ports []string
	for i := 1; i <= p.Count; i++ {
		n := b.node(Ref(fmt.Sprintf("idc/%s/%s-%d", r.Name, p.Name, i)), KindIDC, r.Name, z.Name)
		ports = append(ports, fmt.Sprintf("eth%d", b.ports[z.router.Ref]))
		b.uplink(cable, n, z.router, idcPair(p.CIDR, i))
		n.Echo = []uint16{EchoPort}
	}
	route(r.edge, p.CIDR, z.toEdge.server.Addr(), z.edgeIf, z.toEdge.router.Addr())
	for _, other := range r.zones {
		if other != z {
			routeToward(other, z, p.CIDR)
		}
	}
	denyTunnels(z.router, ports, "VXLAN is not authenticated: no IDC server may speak it to servers")
}

// denyTunnels drops VXLAN that enters by the interfaces.
func denyTunnels(n *Node, ifs []string, why string) {
	for i := range n.Deny {
		if n.Deny[i].Why == why {
			n.Deny[i].InIfs = append(n.Deny[i].InIfs, ifs...)
			return
		}
	}
	n.Deny = append(n.Deny, Deny{InIfs: ifs, UDPPorts: []uint16{VXLANPort, L4TunnelPort}, Why: why})
}

// spread lets the edge spread the region's VIPs over its L4 nodes.
func (b *builder) spread(r *regionBuild) {
	group := NexthopGroup{Name: r.Name + "-l4", Node: r.edge.Ref}
	for i := range b.links {
		l := &b.links[i]
		if l.B.Node != r.edge.Ref || b.nodes[l.A.Node].Kind != KindL4 {
			continue
		}
		at := l.A.Addr.Addr()
		group.Legs = append(group.Legs, Leg{To: l.A.Node, Via: at, Dev: l.B.If,
			Probe: fmt.Sprintf("http://%s/status/ready", netip.AddrPortFrom(at, L4StatusPort))})
	}
	if len(group.Legs) == 0 {
		return
	}
	b.groups = append(b.groups, group)
	if r.admin.IsValid() {
		b.vip(r, PlannedVIP{Name: r.Name + adminSuffix, Kind: "vip", Path: PathAdmin, Region: r.Name, Address: r.admin}, group.Name)
	}
	for _, v := range b.spec.VIPs {
		if v.Region == r.Name || v.Region == "" {
			b.vip(r, PlannedVIP{Name: v.Name, Kind: v.Kind, Path: v.Path, Region: r.Name, Address: v.Address}, group.Name)
		}
	}
}

// vip routes a VIP to the group. The route has no src: the edge has several
// addresses, each on a link to one AZ, and the kernel deletes a route with the
// address that its src names. A VIP must not vanish with an AZ.
func (b *builder) vip(r *regionBuild, v PlannedVIP, group string) {
	b.vips = append(b.vips, v)
	r.edge.Routes = append(r.edge.Routes, Route{Dst: host(v.Address), Group: group})
}
