package agent

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/vishvananda/netlink"

	"github.com/unilb/unilb/impl/fnat"
	"github.com/unilb/unilb/impl/node"
	"github.com/unilb/unilb/impl/store"
	"github.com/unilb/unilb/impl/vpc"
)

// record is a reporter that remembers.
type record struct {
	mu      sync.Mutex
	applied map[string]int64
	refused map[string]string
}

func newRecord() *record {
	return &record{applied: make(map[string]int64), refused: make(map[string]string)}
}

func (r *record) Applied(prefix string, rev int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.applied[prefix] = rev
}

func (r *record) Refuse(key string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refused[key] = err.Error()
}

func (r *record) Accept(key string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.refused, key)
}

func (r *record) keys() []string { return slices.Sorted(maps.Keys(r.refused)) }

// fakeTable is a table in memory with the rules of FNAT.
type fakeTable struct {
	m      map[netip.Addr]vpc.Mapping
	broken error
	prunes int
}

func (f *fakeTable) Put(m vpc.Mapping) error {
	if f.broken != nil {
		return f.broken
	}
	for _, o := range f.m {
		if o.VNI == m.VNI && o.VPCIP == m.VPCIP && o.UniqueIP != m.UniqueIP {
			return &fnat.TakenError{Unique: m.UniqueIP, By: o.UniqueIP, VNI: m.VNI, VPCIP: m.VPCIP}
		}
	}
	f.m[m.UniqueIP] = m
	return nil
}

func (f *fakeTable) Delete(a netip.Addr) error {
	if f.broken != nil {
		return f.broken
	}
	delete(f.m, a)
	return nil
}

func (f *fakeTable) Prune(want []vpc.Mapping) (fnat.Diff, error) {
	if f.broken != nil {
		return fnat.Diff{}, f.broken
	}
	f.prunes++
	f.m = make(map[netip.Addr]vpc.Mapping)
	for _, m := range want {
		f.m[m.UniqueIP] = m
	}
	return fnat.Diff{}, nil
}

func (f *fakeTable) String() string {
	var all []string
	for _, m := range f.m {
		all = append(all, fmt.Sprintf("%s=%d/%s", m.UniqueIP, m.VNI, m.VPCIP))
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

// mappingKV is a mapping as etcd has it: the JSON is written here, not by the
// code under test.
func mappingKV(unique string, vni int, ip string) store.KV {
	return store.KV{Key: "/unilb/vpc/mappings/" + unique, Value: fmt.Appendf(nil,
		`{"unique_ip":%q,"vpc":"v","vni":%d,"vpc_ip":%q,"mac":"02:00:00:00:00:09","vtep":"10.0.0.11","generation":1,"new_field":1}`,
		unique, vni, ip)}
}

func TestMappingsFollowBatches(t *testing.T) {
	table, rep := &fakeTable{m: map[netip.Addr]vpc.Mapping{
		netip.MustParseAddr("100.64.0.66"): {}, // left by an earlier process
	}}, newRecord()
	attached := 0
	m := newMappings(table, rep, slog.New(slog.DiscardHandler), attach{f: func() error { attached++; return nil }})
	for _, step := range []struct {
		name    string
		batch   store.Batch
		want    string
		refused []string
	}{
		{"all there is", store.Batch{Reset: true, Puts: []store.KV{
			{Key: "/unilb/vpc/networks/v", Value: []byte(`{}`)}, // not a mapping
			mappingKV("100.64.0.1", 10, "192.168.1.10"),
			mappingKV("100.64.0.2", 20, "192.168.1.10"),
		}}, "100.64.0.1=10/192.168.1.10 100.64.0.2=20/192.168.1.10", nil},
		{"one that nobody can read keeps its version", store.Batch{Puts: []store.KV{
			{Key: "/unilb/vpc/mappings/100.64.0.1", Value: []byte(`{"unique_ip":"100.64.0.1"}`)},
		}}, "100.64.0.1=10/192.168.1.10 100.64.0.2=20/192.168.1.10", []string{"/unilb/vpc/mappings/100.64.0.1"}},
		{"one under another's key is refused", store.Batch{Puts: []store.KV{
			mappingKV("100.64.0.1", 10, "192.168.1.10"),
			{Key: "/unilb/vpc/mappings/100.64.0.9", Value: mappingKV("100.64.0.8", 10, "192.168.1.9").Value},
		}}, "100.64.0.1=10/192.168.1.10 100.64.0.2=20/192.168.1.10", []string{"/unilb/vpc/mappings/100.64.0.9"}},
		{"a guest that is taken waits", store.Batch{
			Puts: []store.KV{mappingKV("100.64.0.3", 10, "192.168.1.10")}, Deletes: []string{"/unilb/vpc/mappings/100.64.0.9"},
		}, "100.64.0.1=10/192.168.1.10 100.64.0.2=20/192.168.1.10", []string{"/unilb/vpc/mappings/100.64.0.3"}},
		{"and gets it when it is free", store.Batch{
			Deletes: []string{"/unilb/vpc/mappings/100.64.0.1"},
		}, "100.64.0.2=20/192.168.1.10 100.64.0.3=10/192.168.1.10", nil},
		{"guests change places", store.Batch{Puts: []store.KV{
			mappingKV("100.64.0.2", 10, "192.168.1.10"), mappingKV("100.64.0.3", 20, "192.168.1.10"),
		}}, "100.64.0.2=10/192.168.1.10 100.64.0.3=20/192.168.1.10", nil},
		{"nothing but progress", store.Batch{}, "100.64.0.2=10/192.168.1.10 100.64.0.3=20/192.168.1.10", nil},
		{"deleted", store.Batch{Deletes: []string{"/unilb/vpc/mappings/100.64.0.2", "/unilb/vpc/mappings/100.64.0.77"}},
			"100.64.0.3=20/192.168.1.10", nil},
	} {
		if err := m.apply(step.batch); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		if got := table.String(); got != step.want {
			t.Errorf("%s: got %s, want %s", step.name, got, step.want)
		}
		if got := rep.keys(); !slices.Equal(got, step.refused) {
			t.Errorf("%s: refused %v, want %v", step.name, rep.refused, step.refused)
		}
	}
	if attached != 1 {
		t.Errorf("programs were put in force %d times, want once", attached)
	}
}

func TestRevisionIsInForceOnlyWhenTheKernelHasIt(t *testing.T) {
	table, rep := &fakeTable{m: make(map[netip.Addr]vpc.Mapping)}, newRecord()
	ready := 0
	a := &Agent{rep: rep, log: slog.New(slog.DiscardHandler), ready: func() { ready++ }, retry: make(chan struct{}, 1), set: &setup{}}
	f := &following{follower: newMappings(table, rep, a.log, attach{}), prefix: vpcPrefix, report: true}
	other := &following{follower: &nodes{rep: rep, log: a.log, all: mirror[node.Registration]{parse: parseNode, mine: under(node.RegistryPrefix)},
		sync: func(map[string]node.Registration) (fnat.Diff, error) { return fnat.Diff{}, nil }}, prefix: node.RegistryPrefix}
	a.follows = []*following{f, other}

	a.apply(f, store.Batch{Reset: true, Revision: 5, Puts: []store.KV{mappingKV("100.64.0.1", 10, "192.168.1.10")}})
	if rep.applied[vpcPrefix] != 5 || ready != 0 {
		t.Fatalf("got applied %v, ready %d times; want 5, and not ready before all directories were seen", rep.applied, ready)
	}
	a.apply(other, store.Batch{Reset: true, Revision: 6})
	if ready != 1 || len(rep.applied) != 1 {
		t.Fatalf("got ready %d times, applied %v; want once, and the registry not reported", ready, rep.applied)
	}

	table.broken = errors.New("the kernel refuses")
	a.apply(f, store.Batch{Revision: 7, Puts: []store.KV{mappingKV("100.64.0.2", 10, "192.168.1.11")}})
	a.apply(f, store.Batch{Revision: 8})
	if left, err := a.auditAll(true); !left || err != nil || rep.applied[vpcPrefix] != 5 {
		t.Errorf("while the kernel refuses: got pending %v, %v, applied %v; want pending at 5", left, err, rep.applied)
	}
	table.broken = nil
	if left, err := a.auditAll(true); left || err != nil || rep.applied[vpcPrefix] != 8 {
		t.Errorf("afterwards: got pending %v, %v, applied %v; want 8", left, err, rep.applied)
	}
	if got := table.String(); got != "100.64.0.1=10/192.168.1.10 100.64.0.2=10/192.168.1.11" {
		t.Errorf("got mappings %s", got)
	}
	if ready != 1 {
		t.Errorf("ready %d times", ready)
	}
}

// fakeLo is lo in memory.
type fakeLo map[netip.Addr]bool

func (f fakeLo) sync(want map[netip.Addr]bool) error {
	clear(f)
	maps.Copy(f, want)
	return nil
}

func (f fakeLo) labelled() (map[netip.Addr]bool, error) { return maps.Clone(f), nil }

func (f fakeLo) String() string {
	var all []string
	for _, a := range slices.SortedFunc(maps.Keys(f), netip.Addr.Compare) {
		all = append(all, a.String())
	}
	return strings.Join(all, " ")
}

func vipOf(address, pool string) store.KV {
	return store.KV{Key: "/unilb/l4/vips/" + address, Value: fmt.Appendf(nil, `{"address":%q,"pool":%q,"ports":[]}`, address, pool)}
}

func registered(kind, name, underlay string) store.KV {
	return store.KV{Key: "/unilb/nodes/registry/" + kind + "/" + name, Value: fmt.Appendf(nil,
		`{"name":%q,"kind":%q,"status":"http://x","underlay":%q,"member":"100.127.0.8","state":"active"}`, name, kind, underlay)}
}

// TestVIPThatIsAnotherMachinesAddressIsRefused: on lo it would cut the node off
// from that machine, and with etcd's the VIP's deletion would never be heard of.
func TestVIPThatIsAnotherMachinesAddressIsRefused(t *testing.T) {
	rep, lo := newRecord(), fakeLo{}
	own := []netip.Addr{netip.MustParseAddr("10.1.0.3"), netip.MustParseAddr("10.101.7.3")} // underlay, etcd
	v := newVIPs(nil, "l7gw", own, rep)
	v.lo = lo
	ready := 0
	a := &Agent{rep: rep, log: slog.New(slog.DiscardHandler), ready: func() { ready++ }, retry: make(chan struct{}, 1), set: &setup{}}
	f := &following{follower: v, prefix: l4Prefix, report: true}
	reg := &following{prefix: node.RegistryPrefix, follower: newNodes(rep, a.log, func(all map[string]node.Registration) (fnat.Diff, error) {
		return fnat.Diff{}, v.learn(all)
	}, attach{})}
	a.follows = []*following{reg, f}

	bad := []string{"10.1.0.3", "10.101.7.3", "100.64.0.9", "100.127.0.1", "127.0.0.1", "169.254.1.1", "0.0.0.9", "255.255.255.255", "224.0.0.1"}
	puts := []store.KV{vipOf("203.0.113.10", "l7gw"), vipOf("10.101.4.9", "l7gw"), vipOf("10.101.4.9", "other")}
	var refused []string
	for _, b := range bad {
		puts = append(puts, vipOf(b, "l7gw"))
		refused = append(refused, "/unilb/l4/vips/"+b)
	}
	puts[2].Key += "x" // not its key
	a.apply(f, store.Batch{Reset: true, Revision: 5, Puts: puts})
	if lo.String() != "" || rep.applied[l4Prefix] != 0 || ready != 0 {
		t.Fatalf("before the registry is known: got %s on lo, applied %v, want nothing", lo, rep.applied)
	}
	a.apply(reg, store.Batch{Reset: true, Revision: 6, Puts: []store.KV{registered("host", "bj/az1/host-1", "10.101.4.9")}})
	if lo.String() != "203.0.113.10" || rep.applied[l4Prefix] != 5 || ready != 1 {
		t.Errorf("got %s on lo, applied %v, ready %d times; want 203.0.113.10 at 5, once", lo, rep.applied, ready)
	}
	refused = append(refused, "/unilb/l4/vips/10.101.4.9", "/unilb/l4/vips/10.101.4.9x")
	slices.Sort(refused)
	if got := rep.keys(); !slices.Equal(got, refused) {
		t.Errorf("refused %v, want %v", rep.refused, refused)
	}
	if got := rep.refused["/unilb/l4/vips/10.101.4.9"]; !strings.Contains(got, "bj/az1/host-1") {
		t.Errorf("got %q, want the node named", got)
	}

	// A node that registers with the address of a VIP in force takes it from nobody.
	a.apply(reg, store.Batch{Revision: 7, Puts: []store.KV{registered("host", "bj/az1/host-2", "203.0.113.10")}})
	if lo.String() != "203.0.113.10" || rep.refused["/unilb/l4/vips/203.0.113.10"] == "" {
		t.Errorf("got %s on lo, refused %v; want the VIP kept and reported", lo, rep.refused)
	}
	// When the host is gone, its address is free.
	a.apply(reg, store.Batch{Revision: 8, Deletes: []string{"/unilb/nodes/registry/host/bj/az1/host-1", "/unilb/nodes/registry/host/bj/az1/host-2"}})
	if lo.String() != "10.101.4.9 203.0.113.10" || rep.refused["/unilb/l4/vips/10.101.4.9"] != "" || rep.refused["/unilb/l4/vips/203.0.113.10"] != "" {
		t.Errorf("got %s on lo, refused %v; want both accepted", lo, rep.refused)
	}
}

func TestGuestPlan(t *testing.T) {
	port := func(vni uint32, ip, host, ifname string) vpc.Port {
		return vpc.Port{VNI: vni, IP: netip.MustParseAddr(ip), MAC: vpc.MAC{2, 9}, Host: host, VTEP: netip.MustParseAddr("10.0.0.11"), Ifname: ifname}
	}
	ports := make(map[string]vpc.Port)
	for _, p := range []vpc.Port{
		port(10, "192.168.1.10", "me", "g0"),
		port(10, "192.168.1.20", "me", "g0"), // a second address of the same guest
		port(20, "192.168.1.10", "me", "tap1"),
		port(20, "192.168.1.11", "me", "g0"), // in another network already
		port(20, "192.168.1.12", "me", "g9"), // not there
		port(20, "192.168.1.13", "you", "g0"),
	} {
		ports[p.Key()] = p
	}
	link := func(name string, index int, l netlink.Link) netlink.Link {
		l.Attrs().Name, l.Attrs().Index = name, index
		return l
	}
	links := map[string]netlink.Link{"g0": link("g0", 5, &netlink.Veth{}), "tap1": link("tap1", 6, &netlink.Tuntap{})}
	networks := map[string]vpc.Network{"n": {Name: "a", VNI: 10, CIDR: netip.MustParsePrefix("192.168.0.0/16")}}
	p := planGuests("me", slices.Sorted(maps.Keys(ports)), ports, networks, links)

	if want := map[int]fnat.GuestPort{5: {VNI: 10, Router: netip.MustParseAddr("192.168.0.1")}, 6: {VNI: 20}}; !reflect.DeepEqual(p.ports, want) {
		t.Errorf("interfaces: got %v, want %v", p.ports, want)
	}
	var places []string
	for _, at := range p.places {
		places = append(places, fmt.Sprintf("%d/%s@%d veth=%v", at.VNI, at.IP, at.Index, at.Veth))
	}
	if want := []string{"10/192.168.1.10@5 veth=true", "10/192.168.1.20@5 veth=true", "20/192.168.1.10@6 veth=false"}; !slices.Equal(places, want) {
		t.Errorf("places: got %q, want %q", places, want)
	}
	refused := slices.Sorted(maps.Keys(p.refused))
	if want := []string{"/unilb/vpc/ports/20/192.168.1.11", "/unilb/vpc/ports/20/192.168.1.12"}; !slices.Equal(refused, want) {
		t.Errorf("refused: got %v, want %v", p.refused, want)
	}
}

func TestOnlyAgentsOfGatewaysAreGateways(t *testing.T) {
	kv := func(kind, name, extra string) store.KV {
		return store.KV{Key: "/unilb/nodes/registry/" + kind + "/" + name, Value: fmt.Appendf(nil,
			`{"name":%q,"kind":%q,"region":"bj","zone":"az1","status":"http://x",%s"state":"draining"}`, name, kind, extra)}
	}
	rep := newRecord()
	m := mirror[node.Registration]{parse: parseNode, mine: under(node.RegistryPrefix)}
	m.take(store.Batch{Reset: true, Puts: []store.KV{
		kv("lbc-agent", "bj/az1/l7-1", `"underlay":"10.1.0.3","member":"100.127.0.1","watches":["/unilb/vpc","/unilb/l4"],`),
		kv("lbc-agent", "bj/az1/admin-1", `"underlay":"10.1.0.4","member":"100.127.0.2","watches":["/unilb/l4"],`),
		kv("lbc-agent", "bj/az1/bad", `"underlay":"10.1.0.5","member":"10.2.0.1","watches":["/unilb/vpc"],`),
		kv("l7gw", "bj/az1/l7-1", `"underlay":"10.1.0.9","member":"100.127.0.9","watches":["/apisix"],`),
		kv("l4lb", "bj/az1/l4-1", `"underlay":"10.1.0.6","watches":["/unilb/l4"],`),
		{Key: "/unilb/nodes/registry/l4lb/forged", Value: kv("l4lb", "bj/az1/l4-2", `"underlay":"10.1.0.7",`).Value},
	}}, rep)
	want := map[netip.Addr]netip.Addr{netip.MustParseAddr("100.127.0.1"): netip.MustParseAddr("10.1.0.3")}
	if got := gatewayNodes(m.objects); !reflect.DeepEqual(got, want) {
		t.Errorf("gateways: got %v, want %v", got, want)
	}
	if got := l4Nodes(m.objects); !reflect.DeepEqual(got, []netip.Addr{netip.MustParseAddr("10.1.0.6")}) {
		t.Errorf("L4 nodes: got %v", got)
	}
	if got := rep.keys(); !slices.Equal(got, []string{"/unilb/nodes/registry/l4lb/forged"}) {
		t.Errorf("refused %v", rep.refused)
	}
}

func TestOptionsAndRegistration(t *testing.T) {
	good := Options{
		Role: Gateway, Node: "bj/az1/l7-1", Pool: "l7gw", Underlay: netip.MustParseAddr("10.1.0.3"),
		Member: netip.MustParseAddr("100.127.0.1"), Uplink: "eth0", PinDir: "/sys/fs/bpf/x",
	}
	for _, c := range []struct {
		name   string
		change func(*Options)
		want   string
	}{
		{"nothing wrong", func(*Options) {}, ""},
		{"no role", func(o *Options) { o.Role = "" }, "--role"},
		{"no node", func(o *Options) { o.Node = "" }, "--node"},
		{"no underlay", func(o *Options) { o.Underlay = netip.Addr{} }, "--underlay"},
		{"member elsewhere", func(o *Options) { o.Member = o.Underlay }, "--member-address"},
		{"no pool", func(o *Options) { o.Pool = "" }, "--pool"},
		{"a host needs neither", func(o *Options) { o.Role, o.Pool, o.Member = Host, "", netip.Addr{} }, ""},
	} {
		o := good
		c.change(&o)
		err := o.Validate()
		if (err == nil) != (c.want == "") || err != nil && !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s: got %v, want it about %q", c.name, err, c.want)
		}
	}
	for role, want := range map[Role]string{
		Gateway: "lbc-agent 100.127.0.1 [/unilb/vpc /unilb/l4]",
		Member:  "lbc-agent 100.127.0.1 [/unilb/l4]",
		Host:    "host invalid IP [/unilb/vpc]",
	} {
		o := good
		o.Role = role
		r := o.Registration("bj", "az1", "http://10.1.0.3:9093")
		if got := fmt.Sprint(r.Kind, " ", r.Member, " ", r.Watches); got != want || r.Validate() != nil {
			t.Errorf("%s: registered as %s (%v), want %s", role, got, r.Validate(), want)
		}
	}
}
