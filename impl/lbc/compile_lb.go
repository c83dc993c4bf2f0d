package lbc

import (
	"cmp"
	"encoding/json"
	"maps"
	"net/netip"
	"slices"
	"strconv"
)

// apiService is what we write of APISIX's service object: one for each
// listener, so that everything of a listener can be found and labelled by it.
type apiService struct {
	Name   string            `json:"name"`
	Labels map[string]string `json:"labels"`
}

// apiRoute is what we write of APISIX's route object.
type apiRoute struct {
	Name       string            `json:"name"`
	Hosts      []string          `json:"hosts,omitempty"`
	URIs       []string          `json:"uris"`
	Methods    []string          `json:"methods,omitempty"`
	Priority   int64             `json:"priority"`
	Vars       [][3]string       `json:"vars"`
	ServiceID  string            `json:"service_id"`
	UpstreamID string            `json:"upstream_id"`
	Labels     map[string]string `json:"labels"`
}

// wireListener is a value below listenerPrefix.
type wireListener struct {
	ID       string     `json:"id"`
	Address  netip.Addr `json:"address"`
	Port     uint16     `json:"port"`
	Protocol string     `json:"protocol"`
}

// wireVIP is a value below vipPrefix.
type wireVIP struct {
	Address netip.Addr `json:"address"`
	Pool    string     `json:"pool"`
	Ports   []vipPort  `json:"ports"`
}

type vipPort struct {
	Port     uint16 `json:"port"`
	Protocol string `json:"protocol"`
}

func vipKey(a netip.Addr) string { return vipPrefix + a.String() }

// The pools of servers behind L4.
const (
	poolGateway = "l7gw"
	poolAdmin   = "l7admin"
)

// compileTree compiles a load balancer.
func compileTree(t *tree) (services, routes, listeners []Object) {
	for _, l := range slices.Sorted(maps.Keys(t.listeners)) {
		listener := t.listeners[l]
		id := t.lb.ID + "." + l
		listeners = append(listeners, encode(listenerPrefix+id, wireListener{
			ID: id, Address: t.lb.Address, Port: listener.Port, Protocol: listener.Protocol,
		}))
		services = append(services, encode(dirServices+"/"+idPrefix+id, apiService{
			Name:   id,
			Labels: map[string]string{ownerLabel: ownerValue, tenantLabel: t.lb.Tenant},
		}))
		for _, r := range slices.Sorted(maps.Keys(t.rules[l])) {
			routes = append(routes, compileRule(t.lb, listener, t.rules[l][r]))
		}
	}
	byKey := func(a, b Object) int { return cmp.Compare(a.Key, b.Key) }
	slices.SortFunc(services, byKey)
	slices.SortFunc(routes, byKey)
	slices.SortFunc(listeners, byKey)
	return services, routes, listeners
}

// compileRule compiles a rule. The variables bind the route to its listener:
// all tenants share one space of routes, and a host or path of one must never
// match on the address of another.
func compileRule(b *LoadBalancer, l *Listener, r *Rule) Object {
	id := b.ID + "." + l.ID
	return encode(dirRoutes+"/"+idPrefix+id+"."+r.ID, apiRoute{
		Name: id + "." + r.ID, Hosts: r.Hosts, URIs: r.Paths, Methods: r.Methods, Priority: r.Priority,
		Vars: [][3]string{
			{"server_addr", "==", b.Address.String()},
			{"server_port", "==", strconv.Itoa(int(l.Port))},
		},
		ServiceID: idPrefix + id, UpstreamID: upstreamID(r.TargetGroup),
		Labels: map[string]string{ownerLabel: ownerValue, tenantLabel: b.Tenant},
	})
}

// compileVIP compiles the VIP of an address: the ports of all load balancers
// that have it. ok is false when there are none.
func (m *Model) compileVIP(a netip.Addr) (vip Object, ok bool) {
	var ports []vipPort
	for _, t := range m.lbs {
		if t.lb == nil || t.lb.Address != a {
			continue
		}
		for _, l := range t.listeners {
			ports = append(ports, vipPort{Port: l.Port, Protocol: "tcp"})
		}
	}
	if len(ports) == 0 {
		return Object{Key: vipKey(a)}, false
	}
	slices.SortFunc(ports, func(x, y vipPort) int { return cmp.Compare(x.Port, y.Port) })
	return encode(vipKey(a), wireVIP{Address: a, Pool: poolGateway, Ports: ports}), true
}

// sameValue reports whether what is stored means what we would write: the Admin
// API adds id, create_time and update_time to what it is given.
func sameValue(stored, wanted []byte) bool {
	var a, b map[string]any
	if json.Unmarshal(stored, &a) != nil || json.Unmarshal(wanted, &b) != nil {
		return false
	}
	for _, k := range []string{"create_time", "update_time"} {
		delete(a, k)
	}
	if _, ok := b["id"]; !ok {
		delete(a, "id")
	}
	return equalJSON(a, b)
}

func equalJSON(a, b any) bool {
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for k, v := range a {
			w, ok := b[k]
			if !ok || !equalJSON(v, w) {
				return false
			}
		}
		return true
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, equalJSON)
	}
	return a == b
}

// owned reports whether a stored APISIX object carries our label.
func owned(stored []byte) bool {
	var o struct {
		Labels map[string]string `json:"labels"`
	}
	return json.Unmarshal(stored, &o) == nil && o.Labels[ownerLabel] == ownerValue
}
