package lbc

import (
	"cmp"
	"encoding/json"
	"maps"
	"net/netip"
	"slices"

	"github.com/unilb/unilb/impl/vpc"
)

// An Object is one object to publish: its key in etcd and its value. Objects
// below the APISIX prefix go through the Admin API, which adds id and
// timestamps to the value.
type Object struct {
	Key   string
	Value json.RawMessage
}

// An Output is what a model compiles to, in the order of publication; within a
// list objects are in the order of their keys.
type Output struct {
	Mappings  []Object
	Upstreams []Object
	Services  []Object
	Routes    []Object
	Listeners []Object
	VIPs      []Object
	// Missing are guests that have no unique IP yet. Upstreams are compiled
	// without them.
	Missing []vpc.Owner
}

// Compile returns everything that a model asks for; zones is the zone of each
// hypervisor host. It is a pure function: two
// replicas with the same model come to the same output. A publication compiles
// only the unit that changed, by the same parts.
func Compile(m *Model, zones map[string]string) Output {
	var out Output
	for _, tg := range slices.Sorted(maps.Keys(m.tgs)) {
		upstream, missing := m.compileUpstream(m.tgs[tg], zones)
		out.Upstreams = append(out.Upstreams, upstream)
		out.Missing = append(out.Missing, missing...)
	}
	vips := make(map[netip.Addr]bool)
	for _, lb := range slices.Sorted(maps.Keys(m.lbs)) {
		t := m.tree(lb)
		if t == nil {
			continue
		}
		services, routes, listeners := compileTree(t)
		out.Services = append(out.Services, services...)
		out.Routes = append(out.Routes, routes...)
		out.Listeners = append(out.Listeners, listeners...)
		vips[t.lb.Address] = true
	}
	for _, a := range slices.SortedFunc(maps.Keys(vips), netip.Addr.Compare) {
		if vip, ok := m.compileVIP(a); ok {
			out.VIPs = append(out.VIPs, vip)
		}
	}
	for a := range m.table.All {
		if mapping, ok := m.compileMapping(a); ok {
			out.Mappings = append(out.Mappings, encode(mapping.Key(), mapping))
		}
	}
	slices.SortFunc(out.Mappings, func(a, b Object) int { return cmp.Compare(a.Key, b.Key) })
	return out
}

// compileMapping returns the mapping of an address that has an owner: to the
// guest's port as it is now, or while a drain outlives the port, as it was.
func (m *Model) compileMapping(a vpc.Address) (vpc.Mapping, bool) {
	if a.State != vpc.Active && a.State != vpc.Draining {
		return vpc.Mapping{}, false
	}
	if port, ok := m.port(a.Owner); ok {
		if mapping, err := a.MappingFor(port); err == nil {
			return mapping, true
		}
	}
	if a.Mapping != nil {
		return *a.Mapping, true
	}
	return vpc.Mapping{}, false
}

func encode(key string, v any) Object {
	b, err := json.Marshal(v)
	if err != nil {
		panic("encode " + key + ": " + err.Error()) // our own types always encode
	}
	return Object{Key: key, Value: b}
}
