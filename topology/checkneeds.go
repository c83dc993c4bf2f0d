package topology

import (
	"slices"
	"strconv"
	"strings"
)

// runs says whether a process of the region needs its store.
func (r *Region) runs() bool {
	return len(r.Control.L7Admin) > 0 || len(r.Control.LBCAPI) > 0 ||
		slices.ContainsFunc(r.AZs, func(z AZ) bool { return z.L4 > 0 || z.L7 > 0 || z.Hosts > 0 })
}

// bare refuses what would run in a region in which nothing runs.
func (c *checker) bare(at string, r *Region) {
	refuse := func(path string) {
		c.Fail(path, "%s: nothing runs in region %q; take it out, or bare: true", path, r.Name)
	}
	for _, z := range r.AZs {
		if z.L4 > 0 {
			refuse(at + ".azs." + z.Name + ".l4")
		}
		if z.L7 > 0 {
			refuse(at + ".azs." + z.Name + ".l7")
		}
	}
	if len(r.Etcd.Members) > 0 {
		refuse(at + ".etcd.members")
	}
	if len(r.Control.L7Admin) > 0 {
		refuse(at + ".control.l7admin")
	}
	if len(r.Control.LBCAPI) > 0 {
		refuse(at + ".control.lbc-api")
	}
}

// nodes checks what single servers have of their own.
func (c *checker) nodes(at string, r *Region, z *AZ) {
	names := r.serversOf(z)
	for _, n := range z.Nodes {
		path := at + "." + n.Name
		switch {
		case !slices.Contains(names, n.Name):
			c.Fail(path, "no server %q in %s/%s%s", shorten(n.Name), r.Name, z.Name, didYouMean(n.Name, names))
		case n.Gateway != "" && !strings.HasPrefix(n.Name, "l7-"):
			c.Fail(path+".gateway", "%s is no gateway", n.Name)
		}
	}
}

// serversOf is the names of an AZ's servers, as in "bj/az1/<name>".
func (r *Region) serversOf(z *AZ) []string {
	var names []string
	counted := func(what string, n int) {
		for i := range min(max(n, 0), 64) {
			names = append(names, what+"-"+strconv.Itoa(i+1))
		}
	}
	count := func(list []string) (n int) {
		for _, name := range list {
			if name == z.Name {
				n++
			}
		}
		return n
	}
	counted("l7", z.L7)
	counted("l4", z.L4)
	counted("host", z.Hosts)
	counted("admin", count(r.Control.L7Admin))
	counted("api", count(r.Control.LBCAPI))
	for _, m := range r.Etcd.Members {
		if m.AZ == z.Name {
			names = append(names, "etcd-"+m.Name)
		}
	}
	return names
}
