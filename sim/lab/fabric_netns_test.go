//go:build netns

package lab_test

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/unilb/unilb/sim/lab"
	"github.com/unilb/unilb/sim/sandbox"
	"github.com/unilb/unilb/topology"
)

// fabric is a file with every kind of link and no process.
const fabric = `
lab: fabric
regions:
  bj:
    bare: true
    azs: {az1: {hosts: 2}, az2: {hosts: 1}, az3: {}}
    wires: {az1--az2: {delay: 1ms}, az2--az3: {impairable: true}}
    idc:
      blue:  {az: az1, count: 2, cidr: 10.20.1.0/24}
      green: {az: az2, cidr: 10.20.2.0/24, wire: {delay: 1ms}}
  sh:
    bare: true
    azs: {az1: {hosts: 1}}
vpcs:
  shop: {vni: 1001, cidr: 192.168.0.0/24}
guests:
  - {vpc: shop, name: web, count: 5, ip: 192.168.0.10}
clients:
  - {name: near, count: 2}
  - {name: far, wire: {delay: 2ms}}
`

func planOf(t *testing.T, s *topology.Spec, err error) *topology.Plan {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.Plan()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func raise(t *testing.T, p *topology.Plan, o lab.Options) *lab.Lab {
	t.Helper()
	o.Dir = t.TempDir()
	o.Progress = func(s lab.Step) { t.Logf("%s: %-8s %s (%v)", p.Lab, s.Name, s.Text, s.Took) }
	l, err := lab.Up(ctx(t), p, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Down(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return l
}

func TestEveryNodeOfTheFabricIsAsPromised(t *testing.T) {
	sandbox.Require(t, sandbox.CapNetNS, sandbox.CapTUN)
	s, err := topology.Parse("fabric.yaml", []byte(fabric))
	p := planOf(t, s, err)
	l := raise(t, p, lab.Options{})
	underlay := 0
	for _, n := range l.Select("**") {
		devices, err := n.Link().Devices()
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range devices {
			if d.Kind == "bridge" {
				t.Errorf("%s has a bridge %s", n.Ref(), d.Name)
			}
		}
		for _, pl := range p.LinksOf(n.Ref()) {
			near, _ := pl.Near(n.Ref())
			far, _ := pl.Far(n.Ref())
			want := 1500
			if inUnderlay(t, p, near.Node) && inUnderlay(t, p, far.Node) {
				want = 1600
				underlay++
			}
			if got := mtuOf(t, n, near.If); got != want {
				t.Errorf("%s of %s has mtu %d, want %d", near.If, pl.Name, got, want)
			}
		}
		checkSysctls(t, n)
	}
	if want := 2 * (3 + 3 + 3 + 1 + 1); underlay != want {
		t.Errorf("%d ends in the underlay, want %d", underlay, want)
	}
}

func inUnderlay(t *testing.T, p *topology.Plan, ref topology.Ref) bool {
	t.Helper()
	n, ok := p.Node(ref)
	if !ok {
		t.Fatalf("no node %s", ref)
	}
	return n.Kind != topology.KindClient && n.Kind != topology.KindIDC && n.Kind != topology.KindGuest
}

func mtuOf(t *testing.T, n *lab.Node, ifname string) (mtu int) {
	t.Helper()
	err := n.NS().Do(func() error {
		i, err := net.InterfaceByName(ifname)
		if err == nil {
			mtu = i.MTU
		}
		return err
	})
	if err != nil {
		t.Fatalf("%s of %s: %v", ifname, n.Ref(), err)
	}
	return mtu
}

// checkSysctls reads the settings without which ECMP, asymmetric ways and
// tunnels do not behave in a namespace as they do on machines.
func checkSysctls(t *testing.T, n *lab.Node) {
	t.Helper()
	want := map[string]string{
		"ipv4/fib_multipath_hash_policy": "3", "ipv4/fib_multipath_hash_fields": "55",
		"ipv4/conf/all/rp_filter": "0", "ipv4/conf/default/rp_filter": "0",
		"ipv6/conf/all/disable_ipv6": "1", "ipv4/ip_forward": "0",
	}
	if n.Plan().Forward {
		want["ipv4/ip_forward"] = "1"
	}
	for key, value := range want {
		var got []byte
		err := n.NS().Do(func() (err error) { got, err = os.ReadFile("/proc/sys/net/" + key); return err })
		if os.IsNotExist(err) && strings.HasPrefix(key, "ipv6/") {
			continue // a kernel without IPv6 has it off
		}
		if text := strings.TrimSpace(string(got)); err != nil || text != value {
			t.Errorf("%s: %s is %q, %v, want %s", n.Ref(), key, text, err, value)
		}
	}
}

// A plan with an MTU of 0 leaves the kernel's choice, as a builder that forgets
// to set it would.
func TestLabWhoseDeviceHasAnotherMTUDoesNotComeUp(t *testing.T) {
	sandbox.Require(t, sandbox.CapNetNS, sandbox.CapTUN)
	for _, kind := range []topology.LinkKind{topology.LinkVeth, topology.LinkWire} {
		s, err := topology.Parse("fabric.yaml", []byte(fabric))
		p := planOf(t, s, err)
		bad := p.Between("bj/az1/router", "bj/az2/router")[0]
		bad.MTU, bad.Kind = 0, kind
		_, err = lab.Up(ctx(t), p, lab.Options{Dir: t.TempDir()})
		if want := "link bj/az1/router--bj/az2/router: eth1 has mtu 1500; want 0"; err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", kind, err, want)
		}
	}
}

func TestThousandGuestsComeUp(t *testing.T) {
	sandbox.Require(t, sandbox.CapNetNS)
	s, err := topology.LoadLibrary("thousand")
	l := raise(t, planOf(t, s, err), lab.Options{})
	for _, ref := range []topology.Ref{"vpc/red/web-1", "vpc/yellow/web-250"} {
		if got := mtuOf(t, node(t, l, ref), "eth0"); got != 1500 {
			t.Errorf("%s has mtu %d, want 1500", ref, got)
		}
	}
}

func TestTwoLabsOfOneSandboxShareNothing(t *testing.T) {
	sandbox.Require(t, sandbox.CapNetNS, sandbox.CapTUN)
	dir := bins(t)
	labs := map[string]*lab.Lab{}
	for _, name := range []string{"left", "right"} {
		p := small("server")
		p.Lab = name
		for i := range p.Nodes {
			for j := range p.Nodes[i].Processes {
				p.Nodes[i].Processes[j].Args = []string{name, "/run/lab/" + string(p.Nodes[i].Ref)}
			}
		}
		labs[name] = raise(t, p, lab.Options{BinDir: dir})
	}
	for name, l := range labs {
		if got := served(t, l, 20); got[name] != 20 {
			t.Errorf("lab %s is served by %v, want itself only", name, got)
		}
		args := node(t, l, "bj/az1/l4-1").Plan().Processes[0].Args
		if want := "/run/lab/" + name + "/bj/az1/l4-1"; args[1] != want {
			t.Errorf("lab %s keeps its data in %s, want %s", name, args[1], want)
		}
	}
	if err := labs["left"].Down(ctx(t)); err != nil {
		t.Fatal(err)
	}
	if left, _ := filepath.Glob("/run/lab/left/bj/az1/*"); len(left) > 0 {
		t.Errorf("disks of the lab that went down: %v", left)
	}
	if disks, _ := filepath.Glob("/run/lab/right/bj/az1/*"); len(disks) != 2 {
		t.Errorf("disks of the lab that is up: %v, want two", disks)
	}
	if got := served(t, labs["right"], 20); got["right"] != 20 {
		t.Errorf("after left went down, right is served by %v, want itself only", got)
	}
}
