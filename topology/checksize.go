package topology

// sizes checks the limits that concern several values together.
func (c *checker) sizes() {
	s := c.spec
	nodes, gateways, clients, bare := 0, 0, 0, 0
	for i := range s.Regions {
		r := &s.Regions[i]
		l7 := 0
		for _, z := range r.AZs {
			l7 += z.L7
			nodes += z.L7 + z.L4 + z.Hosts + 1
		}
		if l7 > maxL7 {
			c.Fail("regions."+r.Name+".azs", "region %q has %d gateways; at most %d", r.Name, l7, maxL7)
		}
		gateways += l7
		if r.Bare {
			bare++
		}
		nodes += 1 + len(r.Etcd.Members) + len(r.Control.L7Admin) + len(r.Control.LBCAPI)
		for _, p := range r.IDC {
			nodes += p.Count
		}
	}
	for _, g := range s.Guests {
		nodes += g.Count
	}
	for _, cl := range s.Clients {
		clients += cl.Count
	}
	if clients > maxClients {
		c.Fail("clients", "%d clients; at most %d", clients, maxClients)
	}
	if nodes += clients; nodes > maxNodes {
		c.Fail("lab", "%d nodes; a lab has at most %d", nodes, maxNodes)
	}
	if len(s.Regions) > bare && gateways == 0 {
		c.Fail("regions", "no gateway in the lab: give an AZ l7: 1")
	}
	if mtu := s.Defaults.Wire.MTU; mtu != underlayMTU {
		c.Fail("defaults.wire.mtu", "the underlay's mtu is %d; it must be %d: inner packets of 1550 bytes and 50 bytes of VXLAN", mtu, underlayMTU)
	}
}
