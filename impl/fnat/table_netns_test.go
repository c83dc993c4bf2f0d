//go:build netns

package fnat

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/unilb/unilb/impl/fnat/bpf"
	"github.com/unilb/unilb/impl/vpc"
)

func mapping(unique string, vni uint32, guest string) vpc.Mapping {
	return vpc.Mapping{
		UniqueIP: ip(unique), VNI: vni, VPCIP: ip(guest), MAC: vpc.MAC{2, 0, 0, 0, 0, 9}, VTEP: vtepH1, Generation: 1,
	}
}

// bareGateway is a gateway on a device of its own, without peers.
func bareGateway(t *testing.T) (*testNode, *Gateway, string) {
	t.Helper()
	pins := pinDir(t)
	n := newTestNode(t)
	n.vxlan("fnat0", 4789, true)
	return n, openBare(t, n, pins), pins
}

func openBare(t *testing.T, n *testNode, pins string) (g *Gateway) {
	t.Helper()
	on := n.iface("fnat0")
	n.in(func() (err error) {
		if g, err = OpenGateway(GatewayOptions{Interface: on, Member: member, VTEP: vtepGW, PinDir: pins}); err != nil {
			return err
		}
		return g.Attach()
	})
	t.Cleanup(func() { g.Close() })
	return g
}

// expect compares both maps with what should be in them.
func expect(t *testing.T, g *Gateway, want ...vpc.Mapping) {
	t.Helper()
	got, err := g.List()
	if err != nil {
		t.Fatal(err)
	}
	if len(got)+len(want) > 0 && !reflect.DeepEqual(got, want) {
		t.Errorf("got %d mappings, want %d; %s", len(got), len(want), firstDifference(got, want))
	}
	reverse, err := g.reverse.all()
	if err != nil {
		t.Fatal(err)
	}
	wantBack := make(map[bpf.GatewayGuest]bpf.GatewayIdentity)
	for _, m := range want {
		k, v := reverseEntry(m)
		wantBack[k] = v
	}
	if !reflect.DeepEqual(reverse, wantBack) {
		for k, v := range reverse {
			if wantBack[k] != v {
				t.Errorf("got %d ways back, want %d; one is %v to %v, want %v", len(reverse), len(wantBack), k, v, wantBack[k])
				return
			}
		}
		t.Errorf("got %d ways back, want %d", len(reverse), len(wantBack))
	}
}

// firstDifference keeps a failure of thousands of entries readable.
func firstDifference(got, want []vpc.Mapping) string {
	for i := range max(len(got), len(want)) {
		switch {
		case i >= len(got):
			return fmt.Sprintf("number %d is missing: %v", i, want[i])
		case i >= len(want):
			return fmt.Sprintf("number %d is too many: %v", i, got[i])
		case got[i] != want[i]:
			return fmt.Sprintf("number %d is %v, want %v", i, got[i], want[i])
		}
	}
	return "no difference"
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestPutAndDeleteKeepBothDirectionsInStep(t *testing.T) {
	_, g, _ := bareGateway(t)
	a, b := mapping("100.64.0.1", 10, "192.168.1.10"), mapping("100.64.0.2", 20, "192.168.1.10")
	must(t, g.Put(a))
	must(t, g.Put(a)) // again
	must(t, g.Put(b))
	expect(t, g, a, b)

	moved := mapping("100.64.0.1", 10, "192.168.1.99") // the unique IP has another guest now
	must(t, g.Put(moved))
	expect(t, g, moved, b)

	var taken *TakenError
	if err := g.Put(mapping("100.64.0.3", 20, "192.168.1.10")); !errors.As(err, &taken) || taken.By != b.UniqueIP {
		t.Errorf("second unique IP of a guest: got %v, want it taken by %s", err, b.UniqueIP)
	}
	if err := g.Put(vpc.Mapping{UniqueIP: ip("100.64.0.4")}); err == nil {
		t.Error("an incomplete mapping was put")
	}
	expect(t, g, moved, b)

	must(t, g.Delete(moved.UniqueIP))
	must(t, g.Delete(moved.UniqueIP)) // absent
	expect(t, g, b)
}

func TestPruneLeavesExactlyWhatIsWanted(t *testing.T) {
	_, g, _ := bareGateway(t)
	const many = 10000 // more than two batches
	var all []vpc.Mapping
	for i := range many {
		m := mapping("100.64.0.0", uint32(i%7+1), "10.0.0.0")
		m.UniqueIP = netip.AddrFrom4([4]byte{100, 65, byte(i >> 8), byte(i)})
		m.VPCIP = netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)})
		all = append(all, m)
	}
	check := func(want []vpc.Mapping, diff Diff) {
		t.Helper()
		got, err := g.Prune(want)
		if err != nil || got != diff {
			t.Errorf("prune to %d mappings: got %+v, %v, want %+v", len(want), got, err, diff)
		}
		expect(t, g, want...)
	}
	check(all, Diff{Added: many})
	check(all, Diff{})
	changed := append([]vpc.Mapping(nil), all[:many/2]...)
	changed[0].VTEP = vtepH2
	changed[1].VPCIP, changed[2].VPCIP = changed[2].VPCIP, changed[1].VPCIP // guests change places
	changed[1].VNI, changed[2].VNI = changed[2].VNI, changed[1].VNI
	check(changed, Diff{Changed: 3, Removed: many / 2})

	// Another hand took a way back away: the audit finds it.
	k, _ := reverseEntry(changed[5])
	must(t, g.reverse.delete(k))
	check(changed, Diff{Added: 1})

	if _, err := g.Prune([]vpc.Mapping{mapping("100.64.0.1", 1, "10.0.0.1"), mapping("100.64.0.2", 1, "10.0.0.1")}); err == nil {
		t.Error("two unique IPs of one guest were accepted")
	}
	check(nil, Diff{Removed: many / 2})
}

func TestOpeningAgainAdoptsEntries(t *testing.T) {
	n, g, pins := bareGateway(t)
	a := mapping("100.64.0.1", 10, "192.168.1.10")
	must(t, g.Put(a))
	must(t, g.Close())
	expect(t, openBare(t, n, pins), a)
}

func TestDeviceMadeAnewStartsEmptyAndLeavesNoPins(t *testing.T) {
	n, g, pins := bareGateway(t)
	old := n.iface("fnat0")
	must(t, g.Put(mapping("100.64.0.1", 10, "192.168.1.10")))
	must(t, g.Close())
	must(t, n.nl.LinkDel(n.link("fnat0")))
	n.vxlan("fnat0", 4789, true)
	if n.iface("fnat0") == old {
		t.Fatal("the kernel gave the index again: nothing is examined")
	}
	expect(t, openBare(t, n, pins))
	if _, err := os.Stat(filepath.Join(pins, old.pinName())); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("pins of the deleted device: got %v, want them gone", err)
	}
	must(t, RemovePins(pins, "fnat0"))
	left, err := os.ReadDir(pins)
	if err != nil || len(left) != 0 {
		t.Errorf("after removal: got %v, %v, want an empty directory", left, err)
	}
}

func TestPinDirectoryOutsideBPFFSIsRefused(t *testing.T) {
	_, _, _ = bareGateway(t)
	dir := t.TempDir()
	_, err := OpenTunnel(Interface{Name: "lo", Index: 1}, dir)
	if err == nil {
		t.Error("opened pins on an ordinary file system")
	}
	t.Log(err)
}

func TestViewShowsWhatIsPinned(t *testing.T) {
	l := newTestLab(t)
	gw, err := OpenViews(filepath.Join(l.pins, "gw"))
	must(t, err)
	host, err := OpenViews(filepath.Join(l.pins, "h1"))
	must(t, err)
	for _, v := range append(gw, host...) {
		defer v.Close()
	}
	if len(gw) != 1 || gw[0].Role != RoleGateway || len(host) != 1 || host[0].Role != RoleVswitch {
		t.Fatalf("got views %v of the gateway and %v of the host", gw, host)
	}
	if m, err := gw[0].Mappings(); err != nil || !reflect.DeepEqual(m, l.mappings()) {
		t.Errorf("mappings: got %v, %v", m, err)
	}
	if p, err := host[0].Places(); err != nil || len(p) != 4 {
		t.Errorf("places: got %v, %v, want four", p, err)
	}
	trace, ok, err := gw[0].Trace(l.uniqueB)
	if err != nil || !ok || !trace.Consistent() || trace.Mapping.VNI != 20 {
		t.Errorf("trace of B1: got %+v, %v, %v", trace, ok, err)
	}
	if _, ok, err := gw[0].Trace(ip("100.64.9.9")); ok || err != nil {
		t.Errorf("trace of nobody: got %v, %v", ok, err)
	}
	if c, err := host[0].Counters(); err != nil || len(c) != 2 {
		t.Errorf("counters: got %v, %v", c, err)
	}
}
