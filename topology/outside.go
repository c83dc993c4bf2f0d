package topology

import (
	"fmt"
	"net/netip"
)

// guests plans tenants' networks and what lives in them.
func (b *builder) guests() {
	for _, v := range b.spec.VPCs {
		b.vpcs = append(b.vpcs, PlannedVPC{Name: v.Name, VNI: v.VNI, CIDR: v.CIDR})
	}
	for _, g := range b.spec.Guests {
		v := b.spec.vpc(g.VPC)
		hosts := b.spec.hostsOn(g.On)
		ip := g.IP
		for i := range g.Count {
			b.guest(g, v, i+1, &GuestInfo{VPC: v.Name, VNI: v.VNI, Kind: g.Kind, IP: ip,
				MAC: guestMAC(b.seed, v.VNI, ip), Host: hosts[i%len(hosts)]})
			ip = ip.Next()
		}
	}
}

// guest plans one guest and its link. The host's end has no address: the guest
// sees the vswitch's answer to every ARP request, and its host never routes.
func (b *builder) guest(g Guests, v *VPC, i int, info *GuestInfo) {
	h := b.nodes[info.Host]
	info.VTEP = h.Underlay
	info.HostIf = fmt.Sprintf("g%d", b.guestPorts[h.Ref])
	b.guestPorts[h.Ref]++
	n := b.node(Ref(fmt.Sprintf("vpc/%s/%s-%d", v.Name, g.Name, i)), KindGuest, h.Region, h.Zone)
	n.Guest = info
	n.Echo = []uint16{EchoPort}
	dev := b.port(n)
	b.links = append(b.links, Link{
		Name: fmt.Sprintf("%s--%s", n.Ref, h.Ref), Kind: LinkVeth, MTU: outsideMTU,
		A: End{Node: n.Ref, If: dev, Addr: netip.PrefixFrom(info.IP, v.CIDR.Bits()), MAC: info.MAC},
		B: End{Node: h.Ref, If: info.HostIf},
	})
	route(n, everywhere, v.CIDR.Addr().Next(), dev, info.IP)
}

// clients plans the machines outside. Each has a link to the edge of every
// region: the first region is the way to everywhere, the others are the way to
// their own underlay and VIPs.
func (b *builder) clients() {
	number := 0
	ports := make([][]string, len(b.regions))
	for gi, group := range b.spec.Clients {
		path := fmt.Sprintf("clients[%d].wire", gi)
		for i := range group.Count {
			number++
			n := b.node(Ref(fmt.Sprintf("client/%s-%d", group.Name, i+1)), KindClient, "", "")
			for ri, r := range b.regions {
				ports[ri] = append(ports[ri], b.client(n, r, outside.over(b.spec.wiring(r.Region, group.Wire, path)), clientPair(r.index, number)))
			}
		}
	}
	for ri, r := range b.regions {
		denyTunnels(r.edge, ports[ri], "VXLAN is not authenticated: no client may speak it to servers")
	}
}

// client joins a client to one edge and returns the edge's interface.
func (b *builder) client(n *Node, r *regionBuild, cable joint, at pair) string {
	dev, edgeIf := b.join(cable, n, r.edge, at)
	via, src := at.router.Addr(), at.server.Addr()
	if r.index == 1 {
		route(n, everywhere, via, dev, src)
		return edgeIf
	}
	route(n, regionNet(r.index), via, dev, src)
	for _, p := range r.IDC {
		route(n, p.CIDR, via, dev, src)
	}
	for _, v := range b.vips {
		if v.Region == r.Name {
			route(n, host(v.Address), via, dev, src)
		}
	}
	return edgeIf
}
