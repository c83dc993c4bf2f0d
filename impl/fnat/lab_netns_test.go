//go:build netns

package fnat

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/impl/vpc"
	"github.com/unilb/unilb/sim/netns"
	"github.com/unilb/unilb/sim/sandbox"
)

// patience bounds what must happen; it is never waited out when all is well.
// absence is how long a packet that must not arrive is waited for, where no
// counter can tell.
const (
	patience = 10 * time.Second
	absence  = 300 * time.Millisecond
)

// A testNode is a namespace with a netlink socket inside.
type testNode struct {
	t  *testing.T
	ns *netns.NS
	nl *netlink.Handle
}

func newTestNode(t *testing.T) *testNode {
	t.Helper()
	ns, err := netns.New()
	if err != nil {
		t.Fatal(err)
	}
	n := &testNode{t: t, ns: ns}
	n.in(func() error {
		n.nl, err = netlink.NewHandle(unix.NETLINK_ROUTE)
		if err != nil {
			return err
		}
		for _, s := range []string{"ipv4/conf/all/rp_filter", "ipv4/conf/default/rp_filter"} {
			if err := os.WriteFile("/proc/sys/net/"+s, []byte("0"), 0); err != nil {
				return err
			}
		}
		for _, s := range []string{"ipv6/conf/all/disable_ipv6", "ipv6/conf/default/disable_ipv6"} {
			if err := os.WriteFile("/proc/sys/net/"+s, []byte("1"), 0); err != nil && !errors.Is(err, os.ErrNotExist) {
				return err
			}
		}
		lo, err := n.nl.LinkByName("lo")
		if err != nil {
			return err
		}
		return n.nl.LinkSetUp(lo)
	})
	t.Cleanup(func() { n.nl.Close(); ns.Close() })
	return n
}

// in runs f inside and ends the test when it fails.
func (n *testNode) in(f func() error) {
	n.t.Helper()
	if err := n.ns.Do(f); err != nil {
		n.t.Fatal(err)
	}
}

func (n *testNode) link(name string) netlink.Link {
	n.t.Helper()
	l, err := n.nl.LinkByName(name)
	if err != nil {
		n.t.Fatalf("find %s: %v", name, err)
	}
	return l
}

func (n *testNode) iface(name string) Interface {
	n.t.Helper()
	return Interface{Name: name, Index: n.link(name).Attrs().Index}
}

func (n *testNode) address(dev, prefix string) {
	n.t.Helper()
	a, err := netlink.ParseAddr(prefix)
	if err != nil {
		n.t.Fatal(err)
	}
	if err := n.nl.AddrAdd(n.link(dev), a); err != nil {
		n.t.Fatalf("add %s to %s: %v", prefix, dev, err)
	}
}

func (n *testNode) up(dev string) {
	n.t.Helper()
	if err := n.nl.LinkSetUp(n.link(dev)); err != nil {
		n.t.Fatalf("set %s up: %v", dev, err)
	}
}

// veth joins two nodes.
func veth(t *testing.T, a *testNode, aName string, b *testNode, bName string, mac net.HardwareAddr, mtu int) {
	t.Helper()
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.MTU = aName, mtu
	attrs.Namespace = netlink.NsFd(a.ns.FD())
	err := a.nl.LinkAdd(&netlink.Veth{
		LinkAttrs: attrs, PeerName: bName, PeerMTU: uint32(mtu), PeerHardwareAddr: mac,
		PeerNamespace: netlink.NsFd(b.ns.FD()),
	})
	if err != nil {
		t.Fatalf("make veth %s-%s: %v", aName, bName, err)
	}
	a.up(aName)
	b.up(bName)
}

// vxlan makes an external-mode device, up with MTU 1550.
func (n *testNode) vxlan(name string, port int, noARP bool) {
	n.t.Helper()
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.MTU = name, 1550
	if err := n.nl.LinkAdd(&netlink.Vxlan{LinkAttrs: attrs, FlowBased: true, Port: port}); err != nil {
		n.t.Fatalf("make %s: %v", name, err)
	}
	if noARP {
		if err := n.nl.LinkSetARPOff(n.link(name)); err != nil {
			n.t.Fatal(err)
		}
	}
	n.up(name)
}

// A testGuest is a guest and its port.
type testGuest struct {
	*testNode
	name string
	port vpc.Port
}

// A testLab is one gateway and two hosts on one underlay, with guests of two
// tenants that use the same address on the same host, and a stranger who can
// reach the underlay.
type testLab struct {
	t                         *testing.T
	pins                      string
	gw, host1, host2, forger  *testNode
	a1, b1, a2, a3            *testGuest
	gateway                   *Gateway
	vswitch1, vswitch2        *Vswitch
	uniqueA, uniqueB, uniqueC netip.Addr
}

var (
	member  = netip.MustParseAddr("100.127.0.1")
	vtepGW  = netip.MustParseAddr("10.0.0.1")
	vtepH1  = netip.MustParseAddr("10.0.0.11")
	vtepH2  = netip.MustParseAddr("10.0.0.12")
	vtepBad = netip.MustParseAddr("10.0.0.66")
)

// pinDir returns a directory of the test's own in the sandbox's bpffs.
func pinDir(t *testing.T) string {
	t.Helper()
	sandbox.Require(t, sandbox.CapNetNS, sandbox.CapEBPF)
	dir := filepath.Join("/sys/fs/bpf", fmt.Sprintf("%s-%d", t.Name(), time.Now().UnixNano()))
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func newTestLab(t *testing.T) *testLab {
	t.Helper()
	l := &testLab{t: t, pins: pinDir(t)}
	wire := newTestNode(t)
	bridge := netlink.NewLinkAttrs()
	bridge.Name, bridge.MTU = "br", 1600
	if err := wire.nl.LinkAdd(&netlink.Bridge{LinkAttrs: bridge}); err != nil {
		t.Fatal(err)
	}
	wire.up("br")
	plug := func(name string, a netip.Addr) *testNode {
		n := newTestNode(t)
		veth(t, wire, name, n, "eth0", nil, 1600)
		if err := wire.nl.LinkSetMaster(wire.link(name), wire.link("br")); err != nil {
			t.Fatal(err)
		}
		n.address("eth0", a.String()+"/24")
		return n
	}
	l.gw, l.host1, l.host2, l.forger = plug("gw", vtepGW), plug("h1", vtepH1), plug("h2", vtepH2), plug("bad", vtepBad)
	l.a1 = l.guest("A1", 10, "192.168.1.10", l.host1, vtepH1, "g0")
	l.b1 = l.guest("B1", 20, "192.168.1.10", l.host1, vtepH1, "g1")
	l.a3 = l.guest("A3", 10, "192.168.1.12", l.host1, vtepH1, "g2.a")
	l.a2 = l.guest("A2", 10, "192.168.1.11", l.host2, vtepH2, "g0")
	l.uniqueA, l.uniqueB, l.uniqueC = netip.MustParseAddr("100.64.0.10"), netip.MustParseAddr("100.64.0.20"), netip.MustParseAddr("100.64.0.11")

	l.gw.vxlan("fnat0", 4789, true)
	l.gw.address("lo", member.String()+"/32")
	_, unique, _ := net.ParseCIDR("100.64.0.0/10")
	if err := l.gw.nl.RouteAdd(&netlink.Route{LinkIndex: l.gw.link("fnat0").Attrs().Index, Dst: unique, Src: member.AsSlice()}); err != nil {
		t.Fatal(err)
	}
	l.gateway = l.openGateway()
	if _, err := l.gateway.Prune(l.mappings()); err != nil {
		t.Fatal(err)
	}
	l.vswitch1 = l.openVswitch(l.host1, "h1", l.a1, l.b1, l.a3)
	l.vswitch2 = l.openVswitch(l.host2, "h2", l.a2)
	return l
}

func (l *testLab) guest(name string, vni uint32, ip string, host *testNode, vtep netip.Addr, hostIf string) *testGuest {
	l.t.Helper()
	g := &testGuest{testNode: newTestNode(l.t), name: name}
	g.port = vpc.Port{
		VNI: vni, IP: netip.MustParseAddr(ip), MAC: vpc.MAC{2, 0, byte(vni), 0, 1, netip.MustParseAddr(ip).As4()[3]},
		Host: "host", VTEP: vtep, Ifname: hostIf,
	}
	veth(l.t, host, hostIf, g.testNode, "eth0", g.port.MAC[:], 1500)
	g.address("eth0", ip+"/24")
	err := g.nl.RouteAdd(&netlink.Route{LinkIndex: g.link("eth0").Attrs().Index, Gw: net.IPv4(192, 168, 1, 1)})
	if err != nil {
		l.t.Fatal(err)
	}
	return g
}

func (l *testLab) mappings() []vpc.Mapping {
	mapping := func(unique netip.Addr, g *testGuest) vpc.Mapping {
		return vpc.Mapping{
			UniqueIP: unique, VNI: g.port.VNI, VPCIP: g.port.IP, MAC: g.port.MAC, VTEP: g.port.VTEP, Generation: 1,
		}
	}
	return []vpc.Mapping{mapping(l.uniqueA, l.a1), mapping(l.uniqueC, l.a2), mapping(l.uniqueB, l.b1)}
}

func (l *testLab) openGateway() (g *Gateway) {
	l.t.Helper()
	on := l.gw.iface("fnat0")
	l.gw.in(func() (err error) {
		g, err = OpenGateway(GatewayOptions{Interface: on, Member: member, VTEP: vtepGW, PinDir: filepath.Join(l.pins, "gw")})
		if err != nil {
			return err
		}
		return g.Attach()
	})
	l.t.Cleanup(func() { g.Close() })
	return g
}

// openVswitch makes a host's vswitch with local guests; all others are remote.
func (l *testLab) openVswitch(host *testNode, name string, local ...*testGuest) (v *Vswitch) {
	l.t.Helper()
	host.vxlan("vsw0", 4789, false)
	on := host.iface("vsw0")
	ports := make(map[int]GuestPort)
	var places []Place
	for _, g := range []*testGuest{l.a1, l.b1, l.a2, l.a3} {
		places = append(places, Place{VNI: g.port.VNI, IP: g.port.IP, MAC: g.port.MAC, VTEP: g.port.VTEP})
	}
	for _, g := range local {
		at := host.iface(g.port.Ifname)
		ports[at.Index] = GuestPort{VNI: g.port.VNI, Router: netip.MustParseAddr("192.168.1.1")}
		for i := range places {
			if places[i].VNI == g.port.VNI && places[i].IP == g.port.IP {
				places[i].Index, places[i].Veth = at.Index, true
			}
		}
	}
	host.in(func() (err error) {
		if v, err = OpenVswitch(VswitchOptions{Interface: on, VTEP: local[0].port.VTEP, PinDir: filepath.Join(l.pins, name)}); err != nil {
			return err
		}
		for _, g := range local {
			if err := v.AttachGuest(host.iface(g.port.Ifname)); err != nil {
				return err
			}
		}
		if _, err := v.PrunePlaces(places); err != nil {
			return err
		}
		if _, err := v.PrunePorts(ports); err != nil {
			return err
		}
		if _, err := v.PruneGateways(map[netip.Addr]netip.Addr{member: vtepGW}); err != nil {
			return err
		}
		return v.Attach()
	})
	l.t.Cleanup(func() { v.Close() })
	return v
}
