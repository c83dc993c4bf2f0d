package lbc

import (
	"maps"
	"net/netip"
	"slices"
	"strconv"

	"github.com/unilb/unilb/impl/vpc"
)

// checkPut checks an object against the rest of the model: what it refers to
// must exist, and nothing else may claim what it claims.
func (m *Model) checkPut(r ref, o object, p policy) error {
	if up, ok := r.parent(); ok && !m.has(up) {
		return notFound(up)
	}
	switch o := o.(type) {
	case *VPC:
		return m.checkVPC(o, p)
	case *Port:
		return m.checkPort(r, o)
	case *LoadBalancer:
		return m.checkLB(o, p)
	case *Listener:
		t := m.lbs[r.names[0]]
		if t.listeners[o.ID] == nil && len(t.listeners) >= maxListenersPerLB {
			return conflict("", "load balancer %s has %d listeners; no more are allowed", t.lb.ID, len(t.listeners))
		}
		return m.checkClaim("port", t.lb.ID, o.ID, t.lb.Address, o.Port)
	case *Rule:
		rules := m.lbs[r.names[0]].rules[r.names[1]]
		if rules[o.ID] == nil && len(rules) >= maxRulesPerListener {
			return conflict("", "listener %s has %d rules; no more are allowed", r.names[1], len(rules))
		}
		g := m.tgs[o.TargetGroup]
		if g == nil {
			return invalid("target_group", "target group %q does not exist", o.TargetGroup)
		}
		if tenant := m.lbs[r.names[0]].lb.Tenant; g.Tenant != tenant {
			return invalid("target_group", "target group %q belongs to another tenant than load balancer %q", g.ID, r.names[0])
		}
	case *TargetGroup:
		return m.checkTG(o, p)
	}
	return nil
}

func (m *Model) checkVPC(v *VPC, p policy) error {
	if m.table.Pool().Overlaps(v.CIDR) {
		return invalid("cidr", "%s overlaps %s or %s, which unique IPs and gateways use", v.CIDR, m.table.Pool().Prefix(), vpc.MemberPrefix)
	}
	for _, id := range slices.Sorted(maps.Keys(m.vpcs)) {
		if other := m.vpcs[id]; other.VNI == v.VNI && id != v.ID {
			return conflict("vni", "%d is the VNI of vpcs/%s", v.VNI, id)
		}
	}
	old := m.vpcs[v.ID]
	if old == nil || old.VNI == v.VNI && old.CIDR == v.CIDR {
		return nil
	}
	if referrer := m.vpcReferrer(v.ID); referrer != "" {
		return conflict("", "vpcs/%s cannot change its network: %s uses it", v.ID, referrer)
	}
	if leaving := m.vpcLeaving(v.ID, p); leaving != "" {
		return conflict("", "vpcs/%s cannot change its network: %s", v.ID, leaving)
	}
	return nil
}

// vpcReferrer names a resource that needs a VPC as it is; "" when none does.
func (m *Model) vpcReferrer(id string) string {
	for _, ip := range slices.SortedFunc(maps.Keys(m.ports[id]), netip.Addr.Compare) {
		return portRef(id, ip.String()).String()
	}
	for _, tg := range slices.Sorted(maps.Keys(m.tgs)) {
		if m.tgs[tg].VPC == id {
			return tgRef(tg).String()
		}
	}
	return ""
}

// vpcLeaving says what still holds a VPC that no resource needs; "" when
// nothing does. A unique IP keeps its owner's network until its drain is over.
func (m *Model) vpcLeaving(id string, p policy) string {
	for a := range m.table.All {
		if a.Owner.VPC == id {
			return "unique IP " + a.UniqueIP.String() + " of its guest " + a.Owner.IP.String() + " " + p.leaves(a)
		}
	}
	return ""
}

func (m *Model) checkPort(r ref, p *Port) error {
	v := m.vpcs[r.names[0]]
	ip, _ := netip.ParseAddr(r.names[1])
	if first := v.CIDR.Addr(); !v.CIDR.Contains(ip) || ip == first {
		return invalid("id", "%s is not an address for a guest of %s", ip, v.CIDR)
	}
	if ip == v.CIDR.Addr().Next() {
		return invalid("id", "%s is the gateway of %s; guests begin at %s", ip, v.CIDR, ip.Next())
	}
	if m.table.Pool().Reserved(p.VTEP) {
		return invalid("vtep", "%s lies among the unique IPs or member addresses", p.VTEP)
	}
	return nil
}

func (m *Model) checkLB(b *LoadBalancer, p policy) error {
	if err := p.checkEIP(m.table.Pool(), b.Address); err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(m.lbs)) {
		if other := m.tree(id); id != b.ID && other != nil && other.lb.Address == b.Address && other.lb.Tenant != b.Tenant {
			return conflict("address", "%s belongs to another tenant's load-balancers/%s", b.Address, id)
		}
	}
	t := m.lbs[b.ID]
	if t == nil || t.lb == nil {
		return nil
	}
	for _, id := range slices.Sorted(maps.Keys(t.listeners)) {
		if err := m.checkClaim("address", b.ID, id, b.Address, t.listeners[id].Port); err != nil {
			return err
		}
	}
	if b.Tenant != t.lb.Tenant && len(t.rules) > 0 {
		return conflict("tenant", "load balancer %s has rules, which send to target groups of tenant %s", b.ID, t.lb.Tenant)
	}
	return nil
}

// checkClaim refuses an address and port that another listener has.
func (m *Model) checkClaim(field, lb, listener string, address netip.Addr, port uint16) error {
	for _, id := range slices.Sorted(maps.Keys(m.lbs)) {
		t := m.lbs[id]
		if t.lb == nil || t.lb.Address != address && id != lb {
			continue
		}
		for _, l := range slices.Sorted(maps.Keys(t.listeners)) {
			if t.listeners[l].Port == port && (id != lb || l != listener) {
				return conflict(field, "%s:%d is claimed by %s", address, port, listenerRef(id, l))
			}
		}
	}
	return nil
}

func (m *Model) checkTG(g *TargetGroup, p policy) error {
	if g.VPC != "" && m.vpcs[g.VPC] == nil {
		return invalid("vpc", "vpc %q does not exist", g.VPC)
	}
	for i, t := range g.Targets {
		field := "targets[" + strconv.Itoa(i) + "].ip"
		if g.VPC == "" {
			if reason := p.refuses(m.table.Pool(), t.IP); reason != "" {
				return invalid(field, "%s", reason)
			}
			continue
		}
		if !m.vpcs[g.VPC].CIDR.Contains(t.IP) {
			return invalid(field, "%s is not in %s, the network of vpc %s", t.IP, m.vpcs[g.VPC].CIDR, g.VPC)
		}
		if m.ports[g.VPC][t.IP] == nil {
			return invalid(field, "vpc %s has no port with address %s", g.VPC, t.IP)
		}
	}
	if old := m.tgs[g.ID]; old != nil && old.Tenant != g.Tenant {
		if referrer := m.tgReferrer(g.ID); referrer != "" {
			return conflict("tenant", "target-groups/%s cannot change its tenant: %s uses it", g.ID, referrer)
		}
	}
	return nil
}

// tgReferrer names a rule that sends to a target group; "" when none does.
func (m *Model) tgReferrer(tg string) string {
	for _, lb := range slices.Sorted(maps.Keys(m.lbs)) {
		t := m.lbs[lb]
		for _, l := range slices.Sorted(maps.Keys(t.rules)) {
			for _, id := range slices.Sorted(maps.Keys(t.rules[l])) {
				if t.rules[l][id].TargetGroup == tg {
					return ruleRef(lb, l, id).String()
				}
			}
		}
	}
	return ""
}

// checkDelete refuses to delete what something else refers to.
func (m *Model) checkDelete(r ref, p policy) error {
	if !m.has(r) {
		return notFound(r)
	}
	referrer := ""
	switch r.kind {
	case kindVPC:
		referrer = m.vpcReferrer(r.names[0])
		if leaving := m.vpcLeaving(r.names[0], p); referrer == "" && leaving != "" {
			return conflict("", "%s is in use: %s", r, leaving)
		}
	case kindTG:
		referrer = m.tgReferrer(r.names[0])
	case kindPort:
		ip, _ := netip.ParseAddr(r.names[1])
		for _, tg := range slices.Sorted(maps.Keys(m.tgs)) {
			g := m.tgs[tg]
			if g.VPC == r.names[0] && slices.ContainsFunc(g.Targets, func(t Target) bool { return t.IP == ip }) {
				referrer = tgRef(tg).String()
				break
			}
		}
	case kindLB:
		for _, l := range slices.Sorted(maps.Keys(m.lbs[r.names[0]].listeners)) {
			referrer = listenerRef(r.names[0], l).String()
			break
		}
	case kindListener:
		for _, id := range slices.Sorted(maps.Keys(m.lbs[r.names[0]].rules[r.names[1]])) {
			referrer = ruleRef(r.names[0], r.names[1], id).String()
			break
		}
	}
	if referrer != "" {
		return conflict("", "%s is in use: delete %s first", r, referrer)
	}
	return nil
}
