package lbc

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/unilb/unilb/impl/store"
	"github.com/unilb/unilb/impl/vpc"
)

// A Model is the tenant model of a region at one revision: tenant objects,
// unique IPs and what awaits publication. It follows etcd through put and
// remove. It is not safe for concurrent use.
type Model struct {
	head int64 // revision of the last change of a tenant object
	vpcs map[string]*VPC
	tgs  map[string]*TargetGroup
	lbs  map[string]*tree
	// ports by VPC and address
	ports map[string]map[netip.Addr]*Port
	mods  map[string]int64 // modification revision by key, of everything that exists
	units map[unit]unitRecord
	// pending are the units with operations that wait for their publication.
	pending map[unit]bool
	table   *vpc.Table
	// users are the addresses that each target group uses.
	users map[string]map[netip.Addr]bool
	// moving are the addresses that wait for the end of a drain or a quarantine.
	moving map[netip.Addr]bool
}

// A tree is a load balancer with what belongs to it.
type tree struct {
	lb        *LoadBalancer // nil while only parts of it are known
	listeners map[string]*Listener
	rules     map[string]map[string]*Rule // by listener, by rule
}

func newModel(pool vpc.Pool) *Model {
	return &Model{
		vpcs:  make(map[string]*VPC),
		tgs:   make(map[string]*TargetGroup),
		lbs:   make(map[string]*tree),
		ports: make(map[string]map[netip.Addr]*Port),
		mods:  make(map[string]int64),
		units: make(map[unit]unitRecord), pending: make(map[unit]bool),
		table: vpc.NewTable(pool), moving: make(map[netip.Addr]bool),
		users: make(map[string]map[netip.Addr]bool),
	}
}

// put takes over one key. An error means that the value cannot be read; the
// model then keeps what it had.
func (m *Model) put(kv store.KV) error {
	err := m.take(kv)
	if err == nil {
		m.mods[kv.Key] = kv.Mod
	}
	return err
}

func (m *Model) take(kv store.KV) error {
	if kv.Key == headKey {
		m.head = kv.Mod
		return nil
	}
	if u, ok := parseUnitKey(kv.Key); ok {
		rec, err := parseUnitRecord(kv.Value)
		if err != nil {
			return err
		}
		m.units[u] = rec
		delete(m.pending, u)
		if len(rec.Ops) > 0 {
			m.pending[u] = true
		}
		return nil
	}
	if r, ok := parseModelKey(kv.Key); ok {
		o := newObject(r.kind)
		if err := json.Unmarshal(kv.Value, o); err != nil {
			return fmt.Errorf("decode %s: %w", r, err)
		}
		m.set(r, o)
		return nil
	}
	if strings.HasPrefix(kv.Key, addressPrefix) {
		a, err := vpc.ParseAddress(kv.Value)
		if err != nil {
			return err
		}
		m.setAddress(a)
	}
	return nil
}

// setAddress records an address and whom it serves.
func (m *Model) setAddress(a vpc.Address) {
	for _, tg := range m.table.Get(a.UniqueIP).Users {
		if delete(m.users[tg], a.UniqueIP); len(m.users[tg]) == 0 {
			delete(m.users, tg)
		}
	}
	for _, tg := range a.Users {
		if m.users[tg] == nil {
			m.users[tg] = make(map[netip.Addr]bool)
		}
		m.users[tg][a.UniqueIP] = true
	}
	m.table.Set(a)
	delete(m.moving, a.UniqueIP)
	if a.State == vpc.Draining || a.State == vpc.Quarantine {
		m.moving[a.UniqueIP] = true
	}
}

// remove takes over the deletion of one key. Records of addresses are never
// deleted.
func (m *Model) remove(key string) {
	delete(m.mods, key)
	if u, ok := parseUnitKey(key); ok {
		delete(m.units, u)
		delete(m.pending, u)
	}
	if r, ok := parseModelKey(key); ok {
		m.set(r, nil)
	}
}

// set records a tenant object; nil removes it.
func (m *Model) set(r ref, o object) {
	a, b, c := r.names[0], r.names[1], r.names[2]
	switch r.kind {
	case kindVPC:
		assign(m.vpcs, a, o)
	case kindTG:
		assign(m.tgs, a, o)
	case kindPort:
		ip, err := netip.ParseAddr(b)
		if err != nil {
			return
		}
		if m.ports[a] == nil {
			m.ports[a] = make(map[netip.Addr]*Port)
		}
		assign(m.ports[a], ip, o)
	default:
		t := m.lbs[a]
		if t == nil {
			t = &tree{listeners: make(map[string]*Listener), rules: make(map[string]map[string]*Rule)}
			m.lbs[a] = t
		}
		switch r.kind {
		case kindLB:
			t.lb, _ = o.(*LoadBalancer)
		case kindListener:
			assign(t.listeners, b, o)
		case kindRule:
			if t.rules[b] == nil {
				t.rules[b] = make(map[string]*Rule)
			}
			assign(t.rules[b], c, o)
			if len(t.rules[b]) == 0 {
				delete(t.rules, b)
			}
		}
		if t.lb == nil && len(t.listeners) == 0 && len(t.rules) == 0 {
			delete(m.lbs, a)
		}
	}
}

func assign[K comparable, V any](m map[K]*V, k K, o object) {
	if v, ok := any(o).(*V); ok && v != nil {
		m[k] = v
	} else {
		delete(m, k)
	}
}

// has reports whether a resource exists.
func (m *Model) has(r ref) bool { return m.mods[r.key()] != 0 }

// tree returns a load balancer with its parts; nil when there is none.
func (m *Model) tree(lb string) *tree {
	if t := m.lbs[lb]; t != nil && t.lb != nil {
		return t
	}
	return nil
}

// owner names the guest behind a target of a group; ok is false for IDC targets.
func (m *Model) owner(g *TargetGroup, ip netip.Addr) (o vpc.Owner, ok bool) {
	v := m.vpcs[g.VPC]
	if g.VPC == "" || v == nil {
		return vpc.Owner{}, false
	}
	return vpc.Owner{VPC: v.ID, VNI: v.VNI, IP: ip}, true
}

// owners returns the guests behind a group, each once, ordered by address.
func (m *Model) owners(g *TargetGroup) []vpc.Owner {
	set := make(map[vpc.Owner]bool)
	if g != nil {
		for _, t := range g.Targets {
			if o, ok := m.owner(g, t.IP); ok {
				set[o] = true
			}
		}
	}
	return slices.SortedFunc(maps.Keys(set), func(a, b vpc.Owner) int { return a.IP.Compare(b.IP) })
}

// port returns the port of a guest as agents read it.
func (m *Model) port(o vpc.Owner) (vpc.Port, bool) {
	p := m.ports[o.VPC][o.IP]
	if p == nil {
		return vpc.Port{}, false
	}
	return p.wire(o.VNI, portRef(o.VPC, o.IP.String())), true
}

// used returns the addresses that have a target group among their users, in
// order.
func (m *Model) used(tg string) []vpc.Address {
	used := make([]vpc.Address, 0, len(m.users[tg]))
	for _, unique := range slices.SortedFunc(maps.Keys(m.users[tg]), netip.Addr.Compare) {
		used = append(used, m.table.Get(unique))
	}
	return used
}
