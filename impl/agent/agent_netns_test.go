//go:build netns

package agent

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/impl/fnat"
	"github.com/unilb/unilb/impl/store"
	"github.com/unilb/unilb/sim/link"
	"github.com/unilb/unilb/sim/netns"
	"github.com/unilb/unilb/sim/sandbox"
)

// A site is a gateway and a host on one wire.
type site struct {
	t        *testing.T
	thread   *netns.Thread
	gw, host *link.Stack
	pins     string
}

func newStack(t *testing.T) *link.Stack {
	t.Helper()
	ns, err := netns.New()
	if err != nil {
		t.Fatal(err)
	}
	s, err := link.Open(ns)
	if err == nil {
		err = s.Prepare(false)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close(); ns.Close() })
	return s
}

// handle opens netlink inside a namespace.
func handle(t *testing.T, s *link.Stack) (nl *netlink.Handle) {
	t.Helper()
	err := s.NS().Do(func() (err error) { nl, err = netlink.NewHandle(unix.NETLINK_ROUTE); return err })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nl.Close)
	return nl
}

func address(t *testing.T, s *link.Stack, dev, prefix string) {
	t.Helper()
	nl := handle(t, s)
	l, err := nl.LinkByName(dev)
	if err != nil {
		t.Fatal(err)
	}
	a, err := netlink.ParseAddr(prefix)
	if err == nil {
		err = nl.AddrAdd(l, a)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func newSite(t *testing.T) *site {
	t.Helper()
	sandbox.Require(t, sandbox.CapNetNS, sandbox.CapEBPF)
	s := &site{t: t, thread: netns.NewThread(), gw: newStack(t), host: newStack(t)}
	t.Cleanup(func() { s.thread.Close() })
	s.pins = filepath.Join("/sys/fs/bpf", fmt.Sprintf("%s-%d", t.Name(), time.Now().UnixNano()))
	t.Cleanup(func() { os.RemoveAll(s.pins) })
	err := link.Veth(link.End{Stack: s.gw, Name: "eth0", MTU: 1600}, link.End{Stack: s.host, Name: "eth0", MTU: 1600})
	if err != nil {
		t.Fatal(err)
	}
	address(t, s.gw, "eth0", "10.0.0.1/24")
	address(t, s.host, "eth0", "10.0.0.11/24")
	return s
}

func (s *site) gatewayOptions() Options {
	return Options{
		Role: Gateway, Node: "bj/az1/l7-1", Pool: "l7gw", Underlay: netip.MustParseAddr("10.0.0.1"),
		Member: netip.MustParseAddr("100.127.0.1"), Uplink: "eth0", PinDir: filepath.Join(s.pins, "gw"),
	}
}

func (s *site) hostOptions() Options {
	return Options{
		Role: Host, Node: "bj/az1/host-1", Underlay: netip.MustParseAddr("10.0.0.11"), Uplink: "eth0",
		PinDir: filepath.Join(s.pins, "host"),
	}
}

// guest makes a guest whose interface on the host has a name.
func (s *site) guest(ifname string, mac byte) *link.Stack {
	s.t.Helper()
	g := newStack(s.t)
	err := link.Veth(link.End{Stack: s.host, Name: ifname, MTU: 1500},
		link.End{Stack: g, Name: "eth0", MTU: 1500, MAC: net.HardwareAddr{2, 0, 0, 0, 1, mac}})
	if err != nil {
		s.t.Fatal(err)
	}
	address(s.t, g, "eth0", "192.168.1.10/24")
	nl := handle(s.t, g)
	l, err := nl.LinkByName("eth0")
	if err == nil {
		err = nl.RouteAdd(&netlink.Route{LinkIndex: l.Attrs().Index, Gw: net.IPv4(192, 168, 1, 1)})
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return g
}

// answer makes a node answer datagrams to port 7 with its name.
func answer(t *testing.T, s *link.Stack, name string) {
	t.Helper()
	var c *net.UDPConn
	err := s.NS().Do(func() (err error) {
		c, err = net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4zero, Port: 7})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	go func() {
		buf := make([]byte, 100)
		for {
			_, from, err := c.ReadFromUDPAddrPort(buf)
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err == nil {
				_, _ = c.WriteToUDPAddrPort([]byte(name), from)
			}
		}
	}()
}

// ask asks port 7 of an address within a time.
func ask(t *testing.T, s *link.Stack, to string, within time.Duration) (string, error) {
	t.Helper()
	var c net.Conn
	err := s.NS().Do(func() (err error) { c, err = net.Dial("udp4", to+":7"); return err })
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(within))
	if _, err := c.Write([]byte("?")); err != nil {
		return "", err
	}
	buf := make([]byte, 100)
	n, err := c.Read(buf)
	return string(buf[:n]), err
}

func kv(key, value string) store.KV { return store.KV{Key: key, Value: []byte(value)} }

func portKV(vni int, ip, ifname, mac string) store.KV {
	return kv(fmt.Sprintf("/unilb/vpc/ports/%d/%s", vni, ip), fmt.Sprintf(
		`{"vni":%d,"ip":%q,"mac":%q,"host":"bj/az1/host-1","vtep":"10.0.0.11","ifname":%q}`, vni, ip, mac, ifname))
}

func uniqueKV(unique string, vni int, ip, mac string) store.KV {
	return kv("/unilb/vpc/mappings/"+unique, fmt.Sprintf(
		`{"unique_ip":%q,"vpc":"v","vni":%d,"vpc_ip":%q,"mac":%q,"vtep":"10.0.0.11","generation":1}`, unique, vni, ip, mac))
}

func vipKV(address, pool string) store.KV {
	return kv("/unilb/l4/vips/"+address, fmt.Sprintf(`{"address":%q,"pool":%q,"ports":[{"port":80,"protocol":"tcp"}]}`, address, pool))
}

var registry = []store.KV{
	kv("/unilb/nodes/registry/lbc-agent/bj/az1/l7-1", `{"name":"bj/az1/l7-1","kind":"lbc-agent","region":"bj","zone":"az1",
		"underlay":"10.0.0.1","member":"100.127.0.1","status":"http://10.0.0.1:9093","watches":["/unilb/vpc","/unilb/l4"],"state":"active"}`),
	kv("/unilb/nodes/registry/l4lb/bj/az1/l4-1", `{"name":"bj/az1/l4-1","kind":"l4lb","region":"bj","zone":"az1",
		"underlay":"10.0.0.21","status":"http://10.0.0.21:9094","watches":["/unilb/l4"],"state":"active"}`),
}

const (
	macA = "02:00:00:00:01:0a"
	macB = "02:00:00:00:01:14"
)

// loAddresses lists the /32 addresses of lo.
func loAddresses(t *testing.T, s *link.Stack) (out []string) {
	t.Helper()
	nl := handle(t, s)
	lo, err := nl.LinkByName("lo")
	if err != nil {
		t.Fatal(err)
	}
	all, err := nl.AddrList(lo, netlink.FAMILY_V4)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range all {
		if ones, _ := a.Mask.Size(); ones == 32 {
			out = append(out, a.IP.String())
		}
	}
	slices.Sort(out)
	return out
}

func wantLo(t *testing.T, s *link.Stack, want ...string) {
	t.Helper()
	if got := loAddresses(t, s); !slices.Equal(got, want) {
		t.Errorf("addresses of lo: got %v, want %v", got, want)
	}
}

func TestTwoTenantsAcrossAgentsAndTheirRestart(t *testing.T) {
	s := newSite(t)
	a, b := s.guest("g0", 10), s.guest("g1", 20)
	answer(t, a, "A")
	answer(t, b, "B")

	host := startAgent(t, s.thread, s.host.NS(), s.hostOptions())
	host.feed("/unilb/nodes/registry", 2, true, registry)
	host.feed("/unilb/vpc", 3, true, []store.KV{
		kv("/unilb/vpc/networks/v", `{"name":"v","vni":10,"cidr":"192.168.1.0/24"}`),
		portKV(10, "192.168.1.10", "g0", macA), portKV(20, "192.168.1.10", "g1", macB),
	})
	host.expect("ready")

	address(t, s.gw, "lo", "198.51.100.1/32") // somebody else's
	gw := startAgent(t, s.thread, s.gw.NS(), s.gatewayOptions())
	gw.feed("/unilb/nodes/registry", 2, true, registry)
	gw.feed("/unilb/l4", 2, true, []store.KV{
		vipKV("203.0.113.10", "l7gw"), vipKV("203.0.113.11", "l7gw"), vipKV("203.0.113.12", "l7admin"), vipKV("198.51.100.1", "l7gw"),
	})
	gw.feed("/unilb/vpc", 3, true, []store.KV{
		uniqueKV("100.64.0.10", 10, "192.168.1.10", macA), uniqueKV("100.64.0.20", 20, "192.168.1.10", macB),
	})
	gw.expect("ready")
	both := func() {
		t.Helper()
		for unique, want := range map[string]string{"100.64.0.10": "A", "100.64.0.20": "B"} {
			if got, err := ask(t, s.gw, unique, patience); got != want {
				t.Errorf("ask %s: got %q, %v, want %q", unique, got, err, want)
			}
		}
	}
	both()
	wantLo(t, s.gw, "100.127.0.1", "198.51.100.1", "203.0.113.10", "203.0.113.11")

	// Both killed: nothing changes. The change happens meanwhile.
	gw.kill()
	host.kill()
	both()
	gw = startAgent(t, s.thread, s.gw.NS(), s.gatewayOptions())
	gw.feed("/unilb/nodes/registry", 9, true, registry)
	gw.feed("/unilb/l4", 9, true, []store.KV{vipKV("203.0.113.10", "l7gw")})
	gw.feed("/unilb/vpc", 9, true, []store.KV{uniqueKV("100.64.0.20", 20, "192.168.1.10", macB)})
	gw.expect("ready")
	wantLo(t, s.gw, "100.127.0.1", "198.51.100.1", "203.0.113.10")
	if got, err := ask(t, s.gw, "100.64.0.20", patience); got != "B" {
		t.Errorf("mapping that stayed: got %q, %v, want B", got, err)
	}
	if m := mapped(t, s.gatewayOptions().PinDir); !slices.Equal(m, []string{"100.64.0.20"}) {
		t.Errorf("after a restart: got mappings %v, want the stale one pruned", m)
	}

	// One by one.
	gw.feed("/unilb/vpc", 12, false, []store.KV{uniqueKV("100.64.0.30", 10, "192.168.1.10", macA)}, "/unilb/vpc/mappings/100.64.0.20")
	gw.expect("applied /unilb/vpc 12")
	if got, err := ask(t, s.gw, "100.64.0.30", patience); got != "A" {
		t.Errorf("new mapping: got %q, %v, want A", got, err)
	}
	gw.signal(syscall.SIGTERM)
	gw.expect("ended")
	if got, err := ask(t, s.gw, "100.64.0.30", patience); got != "A" {
		t.Errorf("after SIGTERM: got %q, %v, want A", got, err)
	}

	err := s.gw.NS().Do(func() error { return Cleanup(s.gatewayOptions()) })
	if err != nil {
		t.Error(err)
	}
	wantLo(t, s.gw, "198.51.100.1")
	if names, err := s.gw.Interfaces(); err != nil || !slices.Equal(names, []string{"lo", "eth0"}) {
		t.Errorf("after clean-up: got interfaces %v, %v", names, err)
	}
	if left, err := os.ReadDir(s.gatewayOptions().PinDir); err != nil || len(left) != 0 {
		t.Errorf("after clean-up: got pins %v, %v", left, err)
	}
}

// mapped lists the unique IPs that are pinned.
func mapped(t *testing.T, pinDir string) (out []string) {
	t.Helper()
	views, err := fnat.OpenViews(pinDir)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range views {
		all, err := v.Mappings()
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range all {
			out = append(out, m.UniqueIP.String())
		}
		v.Close()
	}
	return out
}

func TestGuestInterfaceMayComeLaterAndComeBack(t *testing.T) {
	s := newSite(t)
	a := s.guest("g0", 10)
	answer(t, a, "A")
	gw := startAgent(t, s.thread, s.gw.NS(), s.gatewayOptions())
	gw.feed("/unilb/nodes/registry", 2, true, registry)
	gw.feed("/unilb/l4", 2, true, nil)
	gw.feed("/unilb/vpc", 3, true, []store.KV{
		uniqueKV("100.64.0.10", 10, "192.168.1.10", macA), uniqueKV("100.64.0.20", 20, "192.168.1.10", macB),
	})
	gw.expect("ready")
	host := startAgent(t, s.thread, s.host.NS(), s.hostOptions())
	host.feed("/unilb/nodes/registry", 2, true, registry)
	host.feed("/unilb/vpc", 3, true, []store.KV{
		portKV(10, "192.168.1.10", "g0", macA), portKV(20, "192.168.1.10", "g1", macB),
	})
	const missing = "/unilb/vpc/ports/20/192.168.1.10"
	host.expect("refused " + missing)
	host.expect("ready") // the missing one blocks nobody
	if got, err := ask(t, s.gw, "100.64.0.10", patience); got != "A" {
		t.Errorf("guest that is there: got %q, %v, want A", got, err)
	}

	for round := range 2 {
		b := s.guest("g1", 20)
		answer(t, b, fmt.Sprintf("B%d", round))
		host.expect("accepted " + missing)
		if got, err := ask(t, s.gw, "100.64.0.20", patience); got != fmt.Sprintf("B%d", round) {
			t.Errorf("guest that came later, round %d: got %q, %v", round, got, err)
		}
		if err := s.host.Delete("g1"); err != nil {
			t.Fatal(err)
		}
		host.expect("refused " + missing)
	}

	// A guest without a port is cut off, and its program stays.
	host.feed("/unilb/vpc", 5, false, nil, "/unilb/vpc/ports/10/192.168.1.10")
	host.expect("applied /unilb/vpc 5")
	if got, err := ask(t, s.gw, "100.64.0.10", 200*time.Millisecond); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("guest without a port: got %q, %v, want no answer", got, err)
	}
	host.feed("/unilb/vpc", 6, false, []store.KV{portKV(10, "192.168.1.10", "g0", macA)})
	host.expect("applied /unilb/vpc 6")
	if got, err := ask(t, s.gw, "100.64.0.10", patience); got != "A" {
		t.Errorf("guest whose port is back: got %q, %v, want A", got, err)
	}
}

func TestAgentEndsWhenItsDeviceIsGoneAndHealsWhatItCan(t *testing.T) {
	s := newSite(t)
	gw := startAgent(t, s.thread, s.gw.NS(), s.gatewayOptions())
	gw.feed("/unilb/nodes/registry", 2, true, registry)
	gw.feed("/unilb/l4", 2, true, nil)
	gw.feed("/unilb/vpc", 3, true, nil)
	gw.expect("ready")
	nl := handle(t, s.gw)
	l, err := nl.LinkByName("fnat0")
	if err != nil {
		t.Fatal(err)
	}
	// Down takes the route along.
	if err := nl.LinkSetDown(l); err != nil {
		t.Fatal(err)
	}
	deadline := time.After(patience)
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for {
		routes, err := nl.RouteList(l, netlink.FAMILY_V4)
		if err != nil {
			t.Fatal(err)
		}
		if len(routes) == 1 && routes[0].Dst.String() == "100.64.0.0/10" && routes[0].Src.String() == "100.127.0.1" {
			break
		}
		select {
		case <-look.C:
		case <-deadline:
			t.Fatalf("routes of fnat0 after it was set down: %v", routes)
		}
	}
	if err := s.gw.Delete("fnat0"); err != nil {
		t.Fatal(err)
	}
	gw.expect("failed device fnat0")
}

// TestDeviceThatGoesWhileItIsMendedIsGone: a device that is deleted between two
// steps makes the second fail in its own way.
func TestDeviceThatGoesWhileItIsMendedIsGone(t *testing.T) {
	sandbox.Require(t, sandbox.CapNetNS)
	stack := newStack(t)
	nl := handle(t, stack)
	attrs := netlink.NewLinkAttrs()
	attrs.Name = "fnat0"
	if err := nl.LinkAdd(&netlink.Vxlan{LinkAttrs: attrs, VxlanId: 7, Port: 4789}); err != nil {
		t.Fatal(err)
	}
	l, err := nl.LinkByName("fnat0")
	if err != nil {
		t.Fatal(err)
	}
	s := &setup{nl: nl, devices: []fnat.Interface{{Name: "fnat0", Index: l.Attrs().Index}}}
	s.restore = []func() error{func() error {
		if err := nl.LinkDel(l); err != nil {
			t.Fatal(err)
		}
		return nl.RouteAdd(&netlink.Route{LinkIndex: l.Attrs().Index, Dst: &net.IPNet{IP: net.IPv4(100, 64, 0, 0), Mask: net.CIDRMask(10, 32)}})
	}}
	if err := s.check(); err == nil || !strings.HasPrefix(err.Error(), "device fnat0") || !strings.HasSuffix(err.Error(), "is gone") {
		t.Errorf("got %v, want that device fnat0 is gone", err)
	}
}

// TestDeviceThatIsSetDownWhileItIsMendedComesUp: a route cannot be restored on
// a device that was set down since it was looked at.
func TestDeviceThatIsSetDownWhileItIsMendedComesUp(t *testing.T) {
	sandbox.Require(t, sandbox.CapNetNS)
	stack := newStack(t)
	nl := handle(t, stack)
	attrs := netlink.NewLinkAttrs()
	attrs.Name = "fnat0"
	if err := nl.LinkAdd(&netlink.Vxlan{LinkAttrs: attrs, VxlanId: 7, Port: 4789}); err != nil {
		t.Fatal(err)
	}
	l, err := nl.LinkByName("fnat0")
	if err != nil {
		t.Fatal(err)
	}
	on := fnat.Interface{Name: "fnat0", Index: l.Attrs().Index}
	downs := 0
	s := &setup{nl: nl, devices: []fnat.Interface{on}}
	s.restore = []func() error{func() error {
		if downs++; downs == 1 {
			if err := nl.LinkSetDown(l); err != nil {
				t.Fatal(err)
			}
		}
		return nl.RouteReplace(&netlink.Route{LinkIndex: on.Index, Dst: &net.IPNet{IP: net.IPv4(100, 64, 0, 0), Mask: net.CIDRMask(10, 32)}})
	}}
	if err := s.check(); err != nil || downs != 2 {
		t.Fatalf("got %v after %d attempts, want nil after 2", err, downs)
	}
	if routes, err := nl.RouteList(l, netlink.FAMILY_V4); err != nil || len(routes) != 1 {
		t.Errorf("got routes %v, %v, want one", routes, err)
	}
}

func TestStrangeDeviceAndSmallUplinkAreRefused(t *testing.T) {
	s := newSite(t)
	nl := handle(t, s.host)
	attrs := netlink.NewLinkAttrs()
	attrs.Name = "vsw0"
	if err := nl.LinkAdd(&netlink.Vxlan{LinkAttrs: attrs, VxlanId: 7, Port: 4789}); err != nil {
		t.Fatal(err)
	}
	startAgent(t, s.thread, s.host.NS(), s.hostOptions()).expect("failed vsw0 exists")
	if err := s.host.Delete("vsw0"); err != nil {
		t.Fatal(err)
	}
	uplink, err := nl.LinkByName("eth0")
	if err == nil {
		err = nl.LinkSetMTU(uplink, 1500)
	}
	if err != nil {
		t.Fatal(err)
	}
	startAgent(t, s.thread, s.host.NS(), s.hostOptions()).expect("failed uplink eth0 has MTU 1500")
	if names, err := s.host.Interfaces(); err != nil || strings.Contains(fmt.Sprint(names), "vsw0") {
		t.Errorf("after a refused start: got %v, %v", names, err)
	}
}
