package topology

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// wires checks every cable of the lab.
func (c *checker) wires() {
	s := c.spec
	c.wiring("defaults.wire", &s.Defaults.Wire.Wiring)
	clients := false
	for i := range s.Clients {
		clients = clients || s.Clients[i].Wire != nil
		c.wiring(fmt.Sprintf("clients[%d].wire", i), s.Clients[i].Wire)
	}
	all := clients
	for i := range s.Regions {
		r := &s.Regions[i]
		at := "regions." + r.Name
		own := clients || len(r.Wires) > 0
		c.pairs(at+".wires.", r)
		for _, p := range r.IDC {
			own = own || p.Wire != nil
			c.wiring(at+".idc."+p.Name+".wire", p.Wire)
		}
		c.wiring(at+".wire", &r.Wire)
		c.inherited(at+".wire", &r.Wire, own)
		all = all || own
	}
	c.inherited("defaults.wire", &s.Defaults.Wire.Wiring, all)
}

// pairs checks that each wire names two AZs, and no pair twice.
func (c *checker) pairs(at string, r *Region) {
	seen := map[string]string{}
	for i := range r.Wires {
		w := &r.Wires[i]
		path := at + w.Pair
		c.wiring(path, &w.Wiring)
		a, b, ok := strings.Cut(w.Pair, "--")
		if !ok || a == b {
			c.Fail(path, "wire %q: want two AZs, such as az1--az2", shorten(w.Pair))
			continue
		}
		c.az(path, r, a)
		c.az(path, r, b)
		pair := min(a, b) + "--" + max(a, b)
		if first, ok := seen[pair]; ok {
			c.Fail(path, "wire %q joins the same AZs as %q", shorten(w.Pair), shorten(first))
		}
		seen[pair] = w.Pair
	}
}

// inherited refuses what no wire would ever take over.
func (c *checker) inherited(path string, w *Wiring, taken bool) {
	if !taken && (w.Impairable || !w.IsZero()) {
		c.Fail(path, "no wire takes over what %s says; give wires: {az1--az2: {}}, clients[0].wire: {} or an IDC pool wire: {}", path)
	}
}

// wiring checks the deeds of a cable; tags have bounded its numbers.
func (c *checker) wiring(path string, w *Wiring) {
	if w == nil {
		return
	}
	for i, p := range w.At {
		at := fmt.Sprintf("%s.at[%d]", path, i)
		if (p.Frame == 0) == (p.Bytes == 0) {
			c.Fail(at, "%s: want frame, counted from 1, or bytes", at)
		}
		if (p.Do == "delay") != (p.By != 0) {
			c.Fail(at, "%s: \"do: delay\" and by belong together", at)
		}
		if p.Flow != nil {
			c.flowEnd(at+".flow.src", p.Flow.Src)
			c.flowEnd(at+".flow.dst", p.Flow.Dst)
		}
	}
}

// flowEnd checks an address, address:port or :port.
func (c *checker) flowEnd(path, text string) {
	host, port, found := strings.Cut(text, ":")
	_, badPort := strconv.ParseUint(port, 10, 16)
	a, badHost := netip.ParseAddr(host)
	if text == "" || (host == "" || badHost == nil && a.Is4()) && (!found || badPort == nil) {
		return
	}
	c.Fail(path, "%s is %q; want an IPv4 address, address:port or :port", path, shorten(text))
}
