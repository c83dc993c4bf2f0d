package topology

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
)

// copyPlan gives a test a plan that it may break.
func copyPlan(t *testing.T, p *Plan) *Plan {
	t.Helper()
	var c Plan
	if err := json.Unmarshal(marshal(t, p), &c); err != nil {
		t.Fatal(err)
	}
	return &c
}

func TestCheckNamesWhatCannotBeBuilt(t *testing.T) {
	good := libraryPlan(t, "two-az")
	node := func(p *Plan, ref Ref) *Node { n, _ := p.Node(ref); return n }
	link := func(p *Plan, ref Ref) *Link { return p.LinksOf(ref)[0] }
	tests := []struct {
		name  string
		spoil func(p *Plan)
		want  string
	}{
		{"unnumbered uplink", func(p *Plan) { link(p, "bj/az1/l7-1").A.Addr = netip.Prefix{} }, "the end in bj/az1/l7-1 has no address"},
		{"route without src", func(p *Plan) { node(p, "bj/az1/l7-1").Routes[0].Src = netip.Addr{} }, "node bj/az1/l7-1: route to 0.0.0.0/0: src invalid IP"},
		{"route with another's src", func(p *Plan) { node(p, "bj/az1/l7-1").Routes[0].Src = netip.MustParseAddr("203.0.113.10") }, "src 203.0.113.10 is not the address of eth0"},
		{"gateway elsewhere", func(p *Plan) { node(p, "bj/az1/l7-1").Routes[0].Via = netip.MustParseAddr("10.101.4.9") }, "10.101.4.9 is not on the network of eth0"},
		{"no interface", func(p *Plan) { node(p, "bj/az1/l7-1").Routes[0].Dev = "eth9" }, `no interface "eth9"`},
		{"address twice", func(p *Plan) { link(p, "bj/az1/l7-1").A.Addr = link(p, "bj/az1/l7-2").A.Addr }, "has the address of bj/az1/l7-1"},
		{"long interface", func(p *Plan) { link(p, "client/inet-1").A.If = "client-inet-1-eth0" }, `interface name "client-inet-1-eth0"; want 1 to 15 bytes`},
		{"interface twice", func(p *Plan) { link(p, "bj/az1/l7-2").B.If = link(p, "bj/az1/l7-1").B.If }, "bj/az1/router has a second interface"},
		{"small mtu", func(p *Plan) { link(p, "bj/az1/l7-2").MTU = 1450 }, "link bj/az1/l7-2--bj/az1/router: mtu 1450; want 1600"},
		{"outside mtu in the underlay", func(p *Plan) { link(p, "bj/az1/host-1").MTU = 1500 }, "link bj/az1/host-1--bj/az1/router: mtu 1500; want 1600"},
		{"underlay mtu outside", func(p *Plan) { link(p, "client/inet-1").MTU = 1600 }, "link client/inet-1--bj/edge: mtu 1600; want 1500"},
		{"delay of a veth", func(p *Plan) { link(p, "bj/az1/l7-2").Impair.Delay = 1 }, "only a wire can delay or lose frames"},
		{"unknown disk", func(p *Plan) { node(p, "bj/az1/etcd-e1").Disk = "floppy" }, `node bj/az1/etcd-e1: unknown disk "floppy"`},
		{"unknown link kind", func(p *Plan) { link(p, "bj/az1/l7-2").Kind = "" }, `unknown kind ""`},
		{"unknown node kind", func(p *Plan) { node(p, "bj/az1/l7-2").Kind = "" }, `node bj/az1/l7-2: unknown kind ""`},
		{"link to nowhere", func(p *Plan) { link(p, "bj/az1/l7-2").A.Node = "bj/az1/l7-9" }, "no node bj/az1/l7-9"},
		{"bad MAC", func(p *Plan) { link(p, "vpc/shop/web-1").A.MAC = "02:00" }, "02:00: invalid MAC address"},
		{"node twice", func(p *Plan) { p.Nodes = append(p.Nodes, p.Nodes[3]) }, "node " + string(good.Nodes[3].Ref) + ": a second one"},
		{"no group", func(p *Plan) { p.Groups[0].Name = "other" }, `no group "bj-l4"`},
		{"leg elsewhere", func(p *Plan) { p.Groups[0].Legs[0].Dev = "eth0" }, "leg to bj/az1/l4-1: 10.101.253.1 is not on the network of eth0"},
		{"route with both", func(p *Plan) { r := node(p, "bj/edge").Routes; r[len(r)-1].Dev = "eth0" }, "has a gateway and a group"},
		{"deny nowhere", func(p *Plan) { node(p, "bj/edge").Deny[0].InIfs[0] = "eth77" }, "deny: no interface eth77"},
		{"no binary", func(p *Plan) { node(p, "bj/az1/l4-1").Processes[0].Binary = "" }, "process l4lb: a gateway and nothing else has no binary"},
		{"process twice", func(p *Plan) { n := node(p, "bj/az1/l4-1"); n.Processes = append(n.Processes, n.Processes[0]) }, "a second process l4lb"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := copyPlan(t, good)
			tt.spoil(p)
			if err := p.Check(); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestLookupsFindWhatThePlanHas(t *testing.T) {
	p := libraryPlan(t, "two-az")
	if _, ok := p.Node("bj/az9/l7-1"); ok {
		t.Error("found a node that is not there")
	}
	if _, ok := p.Link("a--b"); ok {
		t.Error("found a link that is not there")
	}
	if _, ok := p.VIP("no-eip"); ok {
		t.Error("found a VIP that is not there")
	}
	if got, ok := p.AdminVIP("bj"); !ok || got.String() != "10.101.255.1" {
		t.Errorf("admin VIP %v", got)
	}
	guest, _ := p.Node("vpc/shop/web-2")
	if guest.Address().String() != "192.168.0.11" {
		t.Errorf("guest's address %s", guest.Address())
	}
	up := p.LinksOf("vpc/shop/web-2")[0]
	if far, ok := up.Far(guest.Ref); !ok || far.Node != guest.Guest.Host || far.If != guest.Guest.HostIf {
		t.Errorf("far end %+v, want %s of %s", far, guest.Guest.HostIf, guest.Guest.Host)
	}
	if near, ok := up.Near(guest.Ref); !ok || near.HardwareAddr().String() != guest.Guest.MAC {
		t.Errorf("near end %+v", near)
	}
	if _, ok := up.Near("bj/edge"); ok {
		t.Error("a link has an end in a node that it does not touch")
	}
	if _, ok := up.Far("bj/edge"); ok {
		t.Error("a link leads from a node that it does not touch")
	}
	if got := p.EtcdEndpoints("bj"); len(got) != 3 || got[0] != "http://10.101.7.3:2379" {
		t.Errorf("etcd endpoints %v", got)
	}
}
