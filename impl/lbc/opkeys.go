package lbc

import (
	"maps"
	"net/netip"
	"slices"

	"github.com/unilb/unilb/impl/vpc"
)

// maxOperationKeys bounds the objects that an operation knows as its own; it is
// enough for a target group with all the targets it may have. Of a load balancer
// with more, the address and the listeners come first.
const maxOperationKeys = 256

// keysOf lists the objects that a change of a resource is about, so that a node
// that refuses one of them is not taken for one that has the change in force.
// Mappings are added when they are known; see finish.
func (m *Model) keysOf(c change) []string {
	r := c.ref
	switch r.kind {
	case kindVPC:
		return []string{vpc.NetworkKey(r.names[0])}
	case kindPort:
		ip, _ := netip.ParseAddr(r.names[1])
		return []string{vpc.PortKey(m.vpcs[r.names[0]].VNI, ip)}
	case kindTG:
		return []string{upstreamKey(r.names[0])}
	}
	var keys []string
	t := m.lbs[r.names[0]]
	if b, ok := c.object.(*LoadBalancer); ok {
		keys = append(keys, vipKey(b.Address))
	} else if t != nil && t.lb != nil {
		keys = append(keys, vipKey(t.lb.Address))
	}
	listeners, rules := []string{r.names[1]}, []string{r.names[2]}
	if r.kind == kindLB {
		listeners = nil
		if t != nil {
			listeners = slices.Sorted(maps.Keys(t.listeners))
		}
	}
	for _, l := range listeners {
		id := r.names[0] + "." + l
		keys = append(keys, listenerPrefix+id, dirServices+"/"+idPrefix+id)
	}
	for _, l := range listeners {
		if r.kind != kindRule {
			rules = slices.Sorted(maps.Keys(t.rules[l]))
		}
		for _, name := range rules {
			keys = append(keys, dirRoutes+"/"+idPrefix+r.names[0]+"."+l+"."+name)
		}
	}
	return keys[:min(len(keys), maxOperationKeys)]
}

// addKeys adds objects that the change is about.
func (o *opRecord) addKeys(keys []string) {
	for _, key := range keys {
		if len(o.Keys) < maxOperationKeys && !slices.Contains(o.Keys, key) {
			o.Keys = append(o.Keys, key)
		}
	}
}
