package topology

import (
	"fmt"
	"slices"
	"strings"
)

// names checks every name that becomes part of a Ref: its letters, and that no
// two nodes get the same one.
func (c *checker) names() {
	s := c.spec
	c.name("lab", s.Lab)
	c.name("defaults.gateway", s.Defaults.Gateway)
	for i := range s.Regions {
		c.regionNames(&s.Regions[i])
	}
	for _, v := range s.VPCs {
		c.name("vpcs."+v.Name, v.Name)
	}
	var guests, vips, clients []string
	for i, g := range s.Guests {
		path := fmt.Sprintf("guests[%d].name", i)
		c.name(path, g.Name)
		guests = c.once(path, "guest", g.VPC+"/"+g.Name, guests)
	}
	for i, v := range s.VIPs {
		path := fmt.Sprintf("vips[%d].name", i)
		c.name(path, v.Name)
		vips = c.once(path, "vip", v.Name, vips)
		if r, ok := strings.CutSuffix(v.Name, adminSuffix); ok && s.region(r) != nil {
			c.Fail(path, "vip name %q is taken: it is that of region %s's l7admin", v.Name, r)
		}
	}
	for i, cl := range s.Clients {
		path := fmt.Sprintf("clients[%d].name", i)
		c.name(path, cl.Name)
		clients = c.once(path, "client", cl.Name, clients)
	}
}

func (c *checker) regionNames(r *Region) {
	at := "regions." + r.Name
	c.name(at, r.Name)
	if slices.Contains([]string{"vpc", "idc", "client"}, r.Name) {
		c.Fail(at, "a region cannot be called %q: names of other nodes start with it", r.Name)
	}
	c.name(at+".gateway", r.Gateway)
	for _, z := range r.AZs {
		c.name(at+".azs."+z.Name, z.Name)
		c.name(at+".azs."+z.Name+".gateway", z.Gateway)
		for _, n := range z.Nodes {
			c.name(at+".azs."+z.Name+".nodes."+n.Name+".gateway", n.Gateway)
		}
	}
	for _, m := range r.Etcd.Members {
		c.name(at+".etcd.members."+m.Name, m.Name)
	}
	for _, p := range r.IDC {
		c.name(at+".idc."+p.Name, p.Name)
	}
}

// maxName bounds a name in bytes; lbc-api takes VPC names of this length.
const maxName = 18

// name complains about a name that is not lower-case letters, digits and single
// dashes between them. An empty one is another check's affair.
func (c *checker) name(path, name string) {
	ok := len(name) <= maxName
	for i := range len(name) {
		dash := name[i] == '-'
		if !dash && !isAlnum(name[i]) || dash && (i == 0 || i == len(name)-1 || name[i-1] == '-') {
			ok = false
		}
	}
	if !ok || name == "" && !strings.HasSuffix(path, "gateway") && c.src.Has(path) {
		c.Fail(path, "name %q: want 1 to %d of a-z, 0-9 and single dashes between them", shorten(name), maxName)
	}
}

// once complains when the name is taken, and takes it.
func (c *checker) once(path, what, name string, taken []string) []string {
	if name != "" && slices.Contains(taken, name) {
		c.Fail(path, "a second %s %q; give it another name or raise the count of the first", what, shorten(name))
		return taken
	}
	return append(taken, name)
}
