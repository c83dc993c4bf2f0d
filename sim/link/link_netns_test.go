//go:build netns

package link_test

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/unilb/unilb/sim/link"
	"github.com/unilb/unilb/sim/netns"
	"github.com/unilb/unilb/sim/sandbox"
)

func TestMain(m *testing.M) { sandbox.Main(m) }

func stack(t *testing.T, forward bool) *link.Stack {
	t.Helper()
	sandbox.Require(t, sandbox.CapNetNS)
	ns, err := netns.New()
	if err != nil {
		t.Fatal(err)
	}
	s, err := link.Open(ns)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close(); ns.Close() })
	if err := s.Prepare(forward); err != nil {
		t.Fatal(err)
	}
	return s
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// join makes a veth pair between two stacks with the addresses.
func join(t *testing.T, a *link.Stack, aIf, aAddr string, b *link.Stack, bIf, bAddr string) {
	t.Helper()
	must(t, link.Veth(
		link.End{Stack: a, Name: aIf, MTU: 1600, Alias: aIf + "--" + bIf, Owner: "lbsim.test." + aIf},
		link.End{Stack: b, Name: bIf, MTU: 1500, MAC: net.HardwareAddr{2, 0, 0, 0, 0, 9}},
	))
	must(t, a.Address(aIf, netip.MustParsePrefix(aAddr)))
	must(t, b.Address(bIf, netip.MustParsePrefix(bAddr)))
}

// receiver listens inside s and delivers what arrives.
func receiver(t *testing.T, s *link.Stack, at string) net.PacketConn {
	t.Helper()
	var c net.PacketConn
	must(t, s.NS().Do(func() (err error) { c, err = net.ListenPacket("udp4", at); return err }))
	t.Cleanup(func() { c.Close() })
	return c
}

func send(t *testing.T, s *link.Stack, to string) {
	t.Helper()
	var c net.Conn
	must(t, s.NS().Do(func() (err error) { c, err = net.Dial("udp4", to); return err }))
	defer c.Close()
	_, _ = c.Write([]byte("x")) // a drop on the way out shows as EPERM
}

func arrives(t *testing.T, c net.PacketConn, within time.Duration) (string, bool) {
	t.Helper()
	must(t, c.SetReadDeadline(time.Now().Add(within)))
	_, from, err := c.ReadFrom(make([]byte, 16))
	if err != nil {
		var ne net.Error
		if errors.As(err, &ne) && ne.Timeout() {
			return "", false
		}
		t.Fatal(err)
	}
	return from.String(), true
}

func TestVethCarriesPacketsAndIsLabelled(t *testing.T) {
	a, b := stack(t, false), stack(t, false)
	join(t, a, "eth0", "10.0.0.1/31", b, "p1", "10.0.0.0/31")
	c := receiver(t, b, "10.0.0.0:7")
	send(t, a, "10.0.0.0:7")
	if from, ok := arrives(t, c, 2*time.Second); !ok || !strings.HasPrefix(from, "10.0.0.1:") {
		t.Errorf("arrival: got %q, %t", from, ok)
	}
	must(t, b.NS().Do(func() error {
		i, err := net.InterfaceByName("p1")
		if err != nil {
			return err
		}
		if i.MTU != 1500 || i.HardwareAddr.String() != "02:00:00:00:00:09" {
			t.Errorf("interface: %+v", i)
		}
		return nil
	}))
	if err := a.SetUp("lbsim.test.eth0", true); err != nil {
		t.Errorf("interface has no alternative name: %v", err)
	}
}

func TestPrepareSetsHashPolicyAndFilters(t *testing.T) {
	s := stack(t, true)
	want := map[string]string{
		"ipv4/fib_multipath_hash_policy": "3", "ipv4/fib_multipath_hash_fields": "55",
		"ipv4/conf/all/rp_filter": "0", "ipv4/conf/default/rp_filter": "0", "ipv4/ip_forward": "1",
		"ipv6/conf/default/disable_ipv6": "1",
	}
	must(t, s.NS().Do(func() error {
		for key, value := range want {
			b, err := os.ReadFile("/proc/sys/net/" + key)
			if got := strings.TrimSpace(string(b)); err != nil || got != value {
				t.Errorf("%s: got %q (%v), want %s", key, got, err, value)
			}
		}
		return nil
	}))
}

func TestRouteUsesItsSource(t *testing.T) {
	a, b := stack(t, false), stack(t, false)
	join(t, a, "eth0", "10.0.0.1/31", b, "p1", "10.0.0.0/31")
	must(t, a.Address("lo", netip.MustParsePrefix("10.9.9.9/32")))
	must(t, b.Address("lo", netip.MustParsePrefix("10.8.8.8/32")))
	must(t, a.Route(link.Route{
		Dst: netip.MustParsePrefix("10.8.0.0/16"), Via: netip.MustParseAddr("10.0.0.0"), Dev: "eth0",
		Src: netip.MustParseAddr("10.9.9.9"),
	}))
	c := receiver(t, b, "10.8.8.8:7")
	send(t, a, "10.8.8.8:7")
	if from, ok := arrives(t, c, 2*time.Second); !ok || !strings.HasPrefix(from, "10.9.9.9:") {
		t.Errorf("source: got %q, %t, want 10.9.9.9", from, ok)
	}
}

func TestDropIsSilentOneWayAndRemovedAlone(t *testing.T) {
	a, b := stack(t, false), stack(t, false)
	join(t, a, "eth0", "10.0.0.1/31", b, "p1", "10.0.0.0/31")
	atA, atB := receiver(t, a, "10.0.0.1:7"), receiver(t, b, "10.0.0.0:7")
	one := link.Drop{ID: "one", Ifs: []string{"eth0"}, To: []netip.Addr{netip.MustParseAddr("10.0.0.0")}}
	two := link.Drop{ID: "two", Ifs: []string{"eth0"}, To: []netip.Addr{netip.MustParseAddr("10.77.0.0")}}
	for range 2 { // twice is once
		must(t, a.AddDrop(one))
		must(t, a.AddDrop(two))
	}
	if on, err := a.HasDrop(one); !on || err != nil {
		t.Errorf("drop in force: %t, %v", on, err)
	}
	send(t, a, "10.0.0.0:7")
	if _, ok := arrives(t, atB, 100*time.Millisecond); ok {
		t.Error("packet arrived through the drop")
	}
	send(t, b, "10.0.0.1:7")
	if _, ok := arrives(t, atA, 2*time.Second); !ok {
		t.Error("the other direction is dropped, too")
	}
	must(t, a.RemoveDrop(one))
	must(t, a.RemoveDrop(one))
	send(t, a, "10.0.0.0:7")
	if _, ok := arrives(t, atB, 2*time.Second); !ok {
		t.Error("packet did not arrive after the drop was removed")
	}
	if on, err := a.HasDrop(two); !on || err != nil {
		t.Errorf("the other drop: %t, %v", on, err)
	}
}

func TestDenyDropsForwardedUDPToThePortOnly(t *testing.T) {
	a, r, b := stack(t, false), stack(t, true), stack(t, false)
	join(t, a, "eth0", "10.0.0.1/31", r, "p1", "10.0.0.0/31")
	join(t, b, "eth0", "10.0.1.1/31", r, "p2", "10.0.1.0/31")
	everywhere := netip.MustParsePrefix("0.0.0.0/0")
	must(t, a.Route(link.Route{Dst: everywhere, Via: netip.MustParseAddr("10.0.0.0"), Dev: "eth0"}))
	must(t, b.Route(link.Route{Dst: everywhere, Via: netip.MustParseAddr("10.0.1.0"), Dev: "eth0"}))
	ins := []string{"p1"}
	for i := range 1024 { // as many as an edge may have clients
		ins = append(ins, fmt.Sprintf("eth%d", i))
	}
	must(t, r.Deny(ins, []uint16{4789, 4790}))
	vxlan, other := receiver(t, b, "10.0.1.1:4789"), receiver(t, b, "10.0.1.1:4791")
	send(t, a, "10.0.1.1:4789")
	send(t, a, "10.0.1.1:4791")
	if _, ok := arrives(t, other, 2*time.Second); !ok {
		t.Error("a packet to another port did not arrive")
	}
	if _, ok := arrives(t, vxlan, 100*time.Millisecond); ok {
		t.Error("a packet to a denied port arrived")
	}
	send(t, r, "10.0.1.1:4789")
	if _, ok := arrives(t, vxlan, 2*time.Second); !ok {
		t.Error("a packet that did not enter by the interface was dropped")
	}
}

func TestDropStandsOnAsManyInterfacesAsAnEdgeHas(t *testing.T) {
	a, b := stack(t, false), stack(t, false)
	d := link.Drop{ID: "d", To: []netip.Addr{netip.MustParseAddr("10.0.0.1")}}
	for i := range 300 { // the kernel's answers to fewer fit into any socket
		name := fmt.Sprintf("p%d", i)
		must(t, link.Veth(link.End{Stack: a, Name: name, MTU: 1500}, link.End{Stack: b, Name: name, MTU: 1500}))
		d.Ifs = append(d.Ifs, name)
	}
	must(t, a.AddDrop(d))
	if has, err := a.HasDrop(d); !has || err != nil {
		t.Errorf("added, and in force: got %t, %v", has, err)
	}
	must(t, a.RemoveDrop(d))
	if has, err := a.HasDrop(d); has || err != nil {
		t.Errorf("removed, and in force: got %t, %v", has, err)
	}
}

func TestNamespacesAreFilteredAtTheSameTime(t *testing.T) {
	const n = 8
	errs := make(chan error, n)
	for range n {
		s := stack(t, true)
		go func() {
			d := link.Drop{ID: "d", Ifs: []string{"lo"}, To: []netip.Addr{netip.MustParseAddr("10.0.0.1")}}
			errs <- errors.Join(s.Deny([]string{"eth0"}, []uint16{4789}), s.AddDrop(d))
		}()
	}
	for range n {
		must(t, <-errs) // the race detector says the rest
	}
}

func TestGroupMovesOnlyFlowsOfTheLegThatLeft(t *testing.T) {
	edge := stack(t, true)
	client, legs := stack(t, false), []*link.Stack{stack(t, false), stack(t, false), stack(t, false)}
	join(t, client, "eth0", "10.0.0.1/31", edge, "c0", "10.0.0.0/31")
	must(t, client.Route(link.Route{Dst: netip.MustParsePrefix("0.0.0.0/0"), Via: netip.MustParseAddr("10.0.0.0"), Dev: "eth0"}))
	vip := netip.MustParsePrefix("203.0.113.10/32")
	g := link.Group{ID: 1000, Dsts: []netip.Prefix{vip}}
	var at []net.PacketConn
	for i, leg := range legs {
		name := "l" + string(rune('0'+i))
		near, far := netip.AddrFrom4([4]byte{10, 0, 1, byte(2 * i)}), netip.AddrFrom4([4]byte{10, 0, 1, byte(2*i + 1)})
		join(t, leg, "eth0", netip.PrefixFrom(far, 31).String(), edge, name, netip.PrefixFrom(near, 31).String())
		must(t, leg.Address("lo", vip))
		g.Active = append(g.Active, link.Leg{ID: uint32(i + 1), Via: far, Dev: name})
		at = append(at, receiver(t, leg, "203.0.113.10:7"))
	}
	must(t, edge.SetGroup(g))

	const flows = 60
	var conns []net.Conn
	for range flows {
		must(t, client.NS().Do(func() error {
			c, err := net.Dial("udp4", "203.0.113.10:7")
			conns = append(conns, c)
			return err
		}))
	}
	where := func() map[string]int {
		for _, c := range conns {
			_, err := c.Write([]byte("x"))
			must(t, err)
		}
		place, deadline := map[string]int{}, time.Now().Add(2*time.Second)
		for len(place) < flows && time.Now().Before(deadline) {
			for i, c := range at {
				for {
					from, ok := arrives(t, c, 20*time.Millisecond)
					if !ok {
						break
					}
					place[from] = i
				}
			}
		}
		if len(place) != flows {
			t.Fatalf("%d of %d flows arrived", len(place), flows)
		}
		return place
	}
	before := where()
	if again := where(); !equal(before, again) {
		t.Error("equal five-tuples took different legs")
	}
	g.Active = g.Active[:2]
	must(t, edge.SetGroup(g))
	if ids, err := edge.GroupLegs(1000); err != nil || !slices.Equal(ids, []uint32{1, 2}) {
		t.Errorf("legs: got %v, %v", ids, err)
	}
	after := where()
	used := map[int]int{}
	for from, was := range before {
		used[was]++
		if was != 2 && after[from] != was {
			t.Errorf("flow %s moved from leg %d to %d although its leg stayed", from, was, after[from])
		}
		if after[from] == 2 {
			t.Errorf("flow %s still takes the leg that left", from)
		}
	}
	if len(used) != 3 {
		t.Errorf("legs used: %v, want all three", used)
	}
	stayWithTheLastLeg(t, edge, g, where)
}

// stayWithTheLastLeg takes the group down to its last leg and back: nobody who is
// there moves again.
func stayWithTheLastLeg(t *testing.T, edge *link.Stack, g link.Group, where func() map[string]int) {
	t.Helper()
	all := g.Active[:3]
	g.Active = all[:1]
	must(t, edge.SetGroup(g))
	where() // a use within the clock tick of the migration does not count for the kernel
	alone := where()
	g.Active = all
	must(t, edge.SetGroup(g))
	if back := where(); !equal(alone, back) {
		t.Error("live flows of the last leg moved when the others came back")
	}
}

func equal(a, b map[string]int) bool {
	for k, v := range a {
		if b[k] != v {
			return false
		}
	}
	return len(a) == len(b)
}

func TestGroupComesBackAfterItsInterfaceWentDown(t *testing.T) {
	edge, leg := stack(t, true), stack(t, false)
	join(t, leg, "eth0", "10.0.1.1/31", edge, "l0", "10.0.1.0/31")
	g := link.Group{
		ID: 1000, Dsts: []netip.Prefix{netip.MustParsePrefix("203.0.113.10/32")},
		Active: []link.Leg{{ID: 1, Via: netip.MustParseAddr("10.0.1.1"), Dev: "l0"}},
	}
	must(t, edge.SetGroup(g))
	must(t, edge.SetUp("l0", false))
	if ids, err := edge.GroupLegs(1000); err != nil || len(ids) != 0 {
		t.Errorf("legs while the interface is down: got %v, %v, want none", ids, err)
	}
	must(t, edge.SetUp("l0", true))
	must(t, edge.SetGroup(g))
	if ids, err := edge.GroupLegs(1000); err != nil || !slices.Equal(ids, []uint32{1}) {
		t.Errorf("legs: got %v, %v", ids, err)
	}
}
