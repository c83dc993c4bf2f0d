package topology

import (
	"slices"
	"strings"
	"testing"
	"time"
)

const wiredFile = `
lab: wired
defaults:
  wire: {delay: 5ms, loss: 0.1, impairable: true}
regions:
  bj:
    azs: {az1: {l7: 2, nodes: {l7-2: {gateway: nginx}}}, az2: {}, az3: {}}
    etcd: {members: {e1: az1}, disk: {impairable: true}}
    wire: {delay: 1ms, jitter: 100us}
    wires:
      az1--az2: {}
      az3--az1: {delay: 0s, loss: 0, jitter: 0s, impairable: false}
    idc:
      blue: {az: az1, cidr: 10.20.1.0/24, wire: {loss: 0.5, at: [{do: drop, frame: 7, flow: {proto: tcp, dst: ":80"}}]}}
      green: {az: az2, cidr: 10.20.2.0/24}
  sh:
    bare: true
    azs: {az1: {hosts: 1}}
vpcs:
  shop: {vni: 1, cidr: 192.168.0.0/24}
guests:
  - {vpc: shop, name: web, ip: 192.168.0.10}
clients:
  - {name: far, wire: {max-packet: 1400}}
  - {name: near}
`

func wired(t *testing.T, overrides ...string) *Plan {
	t.Helper()
	s, err := Parse("wired.yaml", []byte(wiredFile), overrides...)
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.Plan()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestWireTakesFromItsRegionAndThenFromDefaultsWhatItDoesNotSay(t *testing.T) {
	p := wired(t)
	tests := []struct {
		a, b Ref
		kind LinkKind
		want Impairment
	}{
		{"bj/az1/router", "bj/az2/router", LinkWire, Impairment{Delay: time.Millisecond, Jitter: 100 * time.Microsecond, Loss: 0.1}},
		{"bj/az1/router", "bj/az3/router", LinkVeth, Impairment{}}, // it denies everything, aloud
		{"bj/az2/router", "bj/az3/router", LinkVeth, Impairment{}}, // it is no wire, so it takes nothing
		{"idc/bj/green-1", "bj/az2/router", LinkVeth, Impairment{}},
		{"client/near-1", "bj/edge", LinkVeth, Impairment{}},
		{"client/far-1", "bj/edge", LinkWire, Impairment{Delay: time.Millisecond, Jitter: 100 * time.Microsecond, Loss: 0.1, MaxPacket: 1400}},
		{"client/far-1", "sh/edge", LinkWire, Impairment{Delay: 5 * time.Millisecond, Loss: 0.1, MaxPacket: 1400}},
	}
	for _, tt := range tests {
		l := p.Between(tt.a, tt.b)
		if len(l) != 1 || l[0].Kind != tt.kind || !l[0].Impair.equal(tt.want) || len(l[0].Impair.At) != 0 {
			t.Errorf("%s--%s is %+v, want a %s with %+v", tt.a, tt.b, l[0], tt.kind, tt.want)
		}
	}
	blue := p.Between("idc/bj/blue-1", "bj/az1/router")[0]
	if i := blue.Impair; blue.Kind != LinkWire || blue.MTU != 1500 || i.Loss != 0.5 || i.Delay != time.Millisecond || len(i.At) != 1 || i.At[0].Flow.Dst != ":80" {
		t.Errorf("the wire of blue is %+v", blue)
	}
}

func TestSetReachesIntoWires(t *testing.T) {
	p := wired(t, "defaults.wire.loss=0.2", "regions.bj.wires.az1--az2.rate=1000000", "clients[1].wire={}", "clients[1].wire.delay=7ms",
		"regions.bj.idc.blue.wire.at[0].frame=9", "regions.bj.azs.az1.nodes.l7-2.gateway=apisix-3", "regions.bj.etcd.disk.impairable=false")
	if i := p.Between("bj/az1/router", "bj/az2/router")[0].Impair; i.Loss != 0.2 || i.Rate != 1000000 {
		t.Errorf("az1--az2 is %+v, want loss 0.2 and rate 1000000", i)
	}
	if i := p.Between("client/near-1", "bj/edge")[0].Impair; i.Delay != 7*time.Millisecond || i.Loss != 0.2 {
		t.Errorf("the wire of near is %+v, want delay 7ms and loss 0.2", i)
	}
	if at := p.Between("idc/bj/blue-1", "bj/az1/router")[0].Impair.At; at[0].Frame != 9 {
		t.Errorf("blue's deed is at %+v, want frame 9", at)
	}
	if n, _ := p.Node("bj/az1/l7-2"); n.Processes[0].Driver != "apisix-3" {
		t.Errorf("l7-2 runs %+v, want apisix-3", n.Processes[0])
	}
	if n, _ := p.Node("bj/az1/etcd-e1"); n.Disk != "" {
		t.Errorf("the disk of e1 is %q, want the machine's own", n.Disk)
	}
}

func TestSingleServersAndDisksHaveWhatTheFileSays(t *testing.T) {
	p := wired(t)
	for ref, want := range map[Ref]string{"bj/az1/l7-1": "l7gw", "bj/az1/l7-2": "nginx"} {
		if n, _ := p.Node(ref); n.Processes[0].Driver != want {
			t.Errorf("%s: driver %q, want %q", ref, n.Processes[0].Driver, want)
		}
	}
	for _, n := range p.Nodes {
		if want := n.Kind == KindEtcd; (n.Disk == DiskFUSE) != want {
			t.Errorf("%s: disk %q", n.Ref, n.Disk)
		}
	}
}

func TestNothingRunsInABareRegion(t *testing.T) {
	p := wired(t)
	if n, ok := p.Node("sh/az1/host-1"); !ok || len(n.Processes) != 0 {
		t.Errorf("sh/az1/host-1 is %+v, want a host without processes", n)
	}
	if n, _ := p.Node("vpc/shop/web-1"); n.Guest.Host != "sh/az1/host-1" {
		t.Errorf("the guest is on %s, want sh/az1/host-1", n.Guest.Host)
	}
	// A lab may be bare altogether; then it needs no gateway.
	s, err := Parse("f.yaml", []byte(strings.Replace(wiredFile, "  bj:\n    azs: {az1: {l7: 2, nodes: {l7-2: {gateway: nginx}}}", "  bj:\n    bare: true\n    azs: {az1: {}", 1)),
		"regions.bj.etcd={}")
	if err != nil {
		t.Fatal(err)
	}
	p, err = s.Plan()
	if err != nil || slices.ContainsFunc(p.Nodes, func(n Node) bool { return len(n.Processes) > 0 }) {
		t.Errorf("a bare lab has processes, or no plan: %v", err)
	}
}

func TestRegionOfRoutersAndClassicServersNeedsNoStore(t *testing.T) {
	_, err := Parse("f.yaml", []byte(base), "regions.gz={azs: {az1: {}}, idc: {red: {az: az1, cidr: 10.30.0.0/24}}}", "vips[0].region=bj")
	if err != nil {
		t.Error(err)
	}
}
