package topology

import (
	"fmt"
	"slices"
	"strings"
)

// references checks that what is named exists and can do what is asked of it.
func (c *checker) references() {
	s := c.spec
	for i := range s.Regions {
		c.regionReferences(&s.Regions[i])
	}
	for _, v := range s.VPCs {
		for i, o := range v.Overlaps {
			path := fmt.Sprintf("vpcs.%s.overlaps[%d]", v.Name, i)
			switch {
			case o == v.Name:
				c.Fail(path, "vpc %q names itself in overlaps", o)
			case s.vpc(o) == nil:
				c.Fail(path, "no vpc %q%s", shorten(o), didYouMean(o, s.vpcNames()))
			}
		}
	}
	for i, g := range s.Guests {
		if g.VPC != "" && s.vpc(g.VPC) == nil {
			c.Fail(fmt.Sprintf("guests[%d].vpc", i), "no vpc %q%s", shorten(g.VPC), didYouMean(g.VPC, s.vpcNames()))
		}
		c.hosts(fmt.Sprintf("guests[%d].on", i), g.On)
	}
	for i, v := range s.VIPs {
		c.vipRegion(i, v)
	}
}

func (c *checker) regionReferences(r *Region) {
	at := "regions." + r.Name
	for _, m := range r.Etcd.Members {
		c.az(at+".etcd.members."+m.Name, r, m.AZ)
	}
	for i, z := range r.Control.L7Admin {
		c.az(fmt.Sprintf("%s.control.l7admin[%d]", at, i), r, z)
	}
	for i, z := range r.Control.LBCAPI {
		c.az(fmt.Sprintf("%s.control.lbc-api[%d]", at, i), r, z)
	}
	for _, p := range r.IDC {
		c.az(at+".idc."+p.Name+".az", r, p.AZ)
	}
	for i := range r.AZs {
		c.nodes(at+".azs."+r.AZs[i].Name+".nodes", r, &r.AZs[i])
	}
	if r.Bare {
		c.bare(at, r)
	} else if len(r.Etcd.Members) == 0 && r.runs() {
		c.Fail(at+".etcd.members", "region %q has no etcd member; add etcd: {members: {e1: %s}}", r.Name, r.AZs[0].Name)
	}
	if len(r.Control.LBCAPI) > 0 && (len(r.Control.L7Admin) == 0 || !r.hasL4()) && !c.unsure(at+".azs") {
		c.Fail(at+".control.lbc-api", "lbc-api reaches l7admin by its VIP: region %q needs control.l7admin and an AZ with l4", r.Name)
	}
}

func (c *checker) az(path string, r *Region, name string) {
	if name != "" && !slices.Contains(r.azNames(), name) {
		c.Fail(path, "no AZ %q in region %q%s", shorten(name), r.Name, didYouMean(name, r.azNames()))
	}
}

// unsure says whether a value within path could not be read, so that what is
// not there may have been meant to be.
func (c *checker) unsure(path string) bool { return c.src.Doubtful(path) }

// hosts checks that a selector selects a hypervisor host.
func (c *checker) hosts(path string, on Selector) {
	if err := on.Check(); err != nil {
		c.Fail(path, "%s", shorten(err.Error()))
		return
	}
	if len(c.spec.hostsOn(on)) > 0 || c.unsure("regions") {
		return
	}
	for _, r := range c.spec.Regions {
		if r.hasHosts() {
			c.Fail(path, "%q selects no host; hosts are called such as %q", shorten(string(on)), r.firstHost())
			return
		}
	}
	c.Fail(path, "guests need a hypervisor host: give an AZ hosts: 1")
}

func (r *Region) firstHost() Ref {
	for _, z := range r.AZs {
		if z.Hosts > 0 {
			return member(r.Name, z.Name, "host", 1)
		}
	}
	return ""
}

// hostsOn returns the hosts that the selector selects, in plan order.
func (s *Spec) hostsOn(on Selector) []Ref {
	var hosts []Ref
	for _, r := range s.Regions {
		for _, z := range r.AZs {
			// A count above its limit is reported; it must not cost time here.
			for n := range min(z.Hosts, 64) {
				if ref := member(r.Name, z.Name, "host", n+1); on.Match(ref) {
					hosts = append(hosts, ref)
				}
			}
		}
	}
	return hosts
}

func (c *checker) vipRegion(i int, v VIP) {
	s := c.spec
	path := fmt.Sprintf("vips[%d].region", i)
	r := s.region(v.Region)
	switch {
	case len(s.Regions) == 0:
		return
	case v.Region == "" && len(s.Regions) > 1:
		c.Fail(path, "vip %q needs a region; want %s", v.Name, strings.Join(s.regionNames(), " or "))
		return
	case v.Region == "":
		r = &s.Regions[0]
	case r == nil:
		c.Fail(path, "no region %q%s", shorten(v.Region), didYouMean(v.Region, s.regionNames()))
		return
	}
	if !r.hasL4() && !c.unsure("regions."+r.Name+".azs") {
		c.Fail(fmt.Sprintf("vips[%d]", i), "vip %q needs an L4 node: give an AZ of region %q l4: 1", v.Name, r.Name)
	}
}
