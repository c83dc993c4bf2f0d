package topology

import "cmp"

func (s *Spec) region(name string) *Region {
	for i := range s.Regions {
		if s.Regions[i].Name == name {
			return &s.Regions[i]
		}
	}
	return nil
}

func (s *Spec) vpc(name string) *VPC {
	for i := range s.VPCs {
		if s.VPCs[i].Name == name {
			return &s.VPCs[i]
		}
	}
	return nil
}

func (s *Spec) regionNames() []string {
	var names []string
	for _, r := range s.Regions {
		names = append(names, r.Name)
	}
	return names
}

func (s *Spec) vpcNames() []string {
	var names []string
	for _, v := range s.VPCs {
		names = append(names, v.Name)
	}
	return names
}

func (r *Region) azNames() []string {
	var names []string
	for _, z := range r.AZs {
		names = append(names, z.Name)
	}
	return names
}

// gatewayOf is the driver of a gateway: the nearest that says one.
func (s *Spec) gatewayOf(r *Region, z *AZ, name string) string {
	own := ""
	for _, n := range z.Nodes {
		if n.Name == name {
			own = n.Gateway
		}
	}
	return cmp.Or(own, z.Gateway, r.Gateway, s.Defaults.Gateway, defaultGateway)
}

const defaultGateway = "l7gw"

// hasL4 says whether an AZ of the region has an L4 node.
func (r *Region) hasL4() bool {
	for i := range r.AZs {
		if r.AZs[i].L4 > 0 {
			return true
		}
	}
	return false
}

func (r *Region) hasHosts() bool {
	for i := range r.AZs {
		if r.AZs[i].Hosts > 0 {
			return true
		}
	}
	return false
}
