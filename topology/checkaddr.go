package topology

import (
	"fmt"
	"net/netip"
	"slices"
)

// A claim is a network that nobody else may use.
type claim struct {
	what string
	net  netip.Prefix
}

// The networks that every lab needs for itself.
var (
	uniquePool = netip.MustParsePrefix("100.64.0.0/10") // unique IPs and, within, member addresses
	clientPool = netip.MustParsePrefix("198.18.0.0/15")
)

// claims are the networks that IDC pools and VIPs must stay out of.
func (s *Spec) claims() []claim {
	claims := []claim{{"the reserved unique IPs", uniquePool}, {"the clients", clientPool}}
	for i, r := range s.Regions[:min(len(s.Regions), maxRegions)] {
		claims = append(claims, claim{fmt.Sprintf("the underlay of region %q", r.Name), regionNet(i + 1)})
	}
	return claims
}

// addresses checks IDC pools, VIPs and guests.
func (c *checker) addresses() {
	s := c.spec
	claims := s.claims()
	for i := range s.Regions {
		r := &s.Regions[i]
		for _, p := range r.IDC {
			claims = c.idc("regions."+r.Name+".idc."+p.Name, p, claims)
		}
	}
	seen := map[netip.Addr]string{}
	for i, v := range s.VIPs {
		path := fmt.Sprintf("vips[%d].address", i)
		if !v.Address.IsValid() || !c.unicast(path, v.Address) {
			continue
		}
		for _, cl := range claims {
			if cl.net.Contains(v.Address) {
				c.Fail(path, "vip %q (%s) lies in %s (%s)", v.Name, v.Address, cl.what, cl.net)
			}
		}
		if first, ok := seen[v.Address]; ok {
			c.Fail(path, "vip %q has the address of %q (%s)", v.Name, first, v.Address)
		}
		seen[v.Address] = v.Name
	}
	c.guestAddresses()
}

func (c *checker) idc(path string, p IDC, claims []claim) []claim {
	if !p.CIDR.IsValid() || !c.network(path+".cidr", p.CIDR, 16, 31) {
		return claims
	}
	for _, cl := range claims {
		if cl.net.Overlaps(p.CIDR) {
			c.Fail(path+".cidr", "idc %q (%s) overlaps %s (%s)", p.Name, p.CIDR, cl.what, cl.net)
		}
	}
	if room := 1 << (31 - p.CIDR.Bits()); p.Count > room {
		c.Fail(path+".cidr", "idc %q: %s has room for %d servers (two addresses each), not %d", p.Name, p.CIDR, room, p.Count)
	}
	return append(claims, claim{fmt.Sprintf("idc %q", p.Name), p.CIDR})
}

// network checks that a CIDR is IPv4, written by its first address, and of a usable size.
func (c *checker) network(path string, n netip.Prefix, least, most int) bool {
	switch {
	case !n.Addr().Is4():
		c.Fail(path, "%s is not IPv4; labs are IPv4 only", n)
	case n != n.Masked():
		c.Fail(path, "%s is an address in a network; the network is %s", n, n.Masked())
	case n.Bits() < least || n.Bits() > most:
		c.Fail(path, "%s: want a prefix length from /%d to /%d", n, least, most)
	default:
		return c.unicast(path, n.Addr())
	}
	return false
}

func (c *checker) unicast(path string, a netip.Addr) bool {
	first := byte(0)
	if a.Is4() {
		first = a.As4()[0]
	}
	if first == 0 || first == 127 || first >= 224 || a.IsLinkLocalUnicast() {
		c.Fail(path, "%s is no IPv4 unicast address that hosts can have", a)
		return false
	}
	return true
}

// overlaps checks the VPCs: their own networks, VNIs, and whom they overlap.
func (c *checker) overlaps() {
	vnis := map[uint32]string{}
	for i, v := range c.spec.VPCs {
		path := "vpcs." + v.Name
		if first, ok := vnis[v.VNI]; ok && v.VNI != 0 {
			c.Fail(path+".vni", "vpc %q has the vni of %q (%d)", v.Name, first, v.VNI)
		}
		vnis[v.VNI] = v.Name
		if !v.CIDR.IsValid() || !c.network(path+".cidr", v.CIDR, 8, 29) {
			continue
		}
		if v.CIDR.Overlaps(uniquePool) {
			c.Fail(path+".cidr", "vpc %q (%s) overlaps the reserved unique IPs (%s)", v.Name, v.CIDR, uniquePool)
		}
		for _, w := range c.spec.VPCs[:i] {
			if !w.CIDR.IsValid() || !v.CIDR.Overlaps(w.CIDR) || slices.Contains(v.Overlaps, w.Name) || slices.Contains(w.Overlaps, v.Name) {
				continue
			}
			c.Fail(path+".cidr", "vpc %q overlaps %q (%s); add overlaps: [%s] if intended", v.Name, w.Name, w.CIDR, w.Name)
		}
	}
}

// guestAddresses checks that each group lies in its VPC and that nobody else has its addresses.
func (c *checker) guestAddresses() {
	type owner struct {
		vpc string
		ip  netip.Addr
	}
	seen := map[owner]string{}
	for i, g := range c.spec.Guests {
		path := fmt.Sprintf("guests[%d].ip", i)
		v := c.spec.vpc(g.VPC)
		if v == nil || !v.CIDR.IsValid() || v.CIDR != v.CIDR.Masked() || !v.CIDR.Addr().Is4() || !g.IP.IsValid() {
			continue
		}
		ip := g.IP
		for n := range min(max(g.Count, 0), 256) {
			name := fmt.Sprintf("%s-%d", g.Name, n+1)
			switch {
			case !v.CIDR.Contains(ip):
				c.Fail(path, "%s (%s) is not in vpc %q (%s)", name, ip, v.Name, v.CIDR)
			case ip == v.CIDR.Addr() || ip == v.CIDR.Addr().Next() || ip == lastOf(v.CIDR):
				c.Fail(path, "%s (%s): the first two and the last address of %s are not for guests", name, ip, v.CIDR)
			case seen[owner{g.VPC, ip}] != "":
				c.Fail(path, "%s has the address of %s (%s) in vpc %q", name, seen[owner{g.VPC, ip}], ip, v.Name)
			default:
				seen[owner{g.VPC, ip}] = name
				ip = ip.Next()
				continue
			}
			break // one line for a group
		}
	}
}
