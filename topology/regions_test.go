package topology

import (
	"slices"
	"strings"
	"testing"
)

const threeRegionsFile = `
lab: three
regions:
  bj:
    azs: {az1: {l4: 1, l7: 1, hosts: 1}, az2: {l7: 1, gateway: apisix-3}}
    etcd: {members: {e1: az1}}
    control: {l7admin: [az1], lbc-api: [az1]}
    idc: {blue: {az: az2, cidr: 10.20.1.0/24}}
  sh:
    gateway: apisix-3
    azs: {az1: {l4: 2, l7: 1, hosts: 1}}
    etcd: {members: {e1: az1}}
    control: {l7admin: [az1, az1], lbc-api: [az1]}
  gz:
    azs: {az1: {l4: 1, l7: 1}}
    etcd: {members: {e1: az1}}
vpcs:
  shop: {vni: 1, cidr: 10.0.0.0/8}
guests:
  - {vpc: shop, name: web, count: 4, ip: 10.101.4.3}
vips:
  - {name: sh-eip, address: 203.0.113.1, path: vpc, region: sh}
  - {name: gz-eip, address: 203.0.113.2, path: idc, region: gz}
clients:
  - {name: inet, count: 2}
`

func threeRegions(t *testing.T) *Plan {
	t.Helper()
	s, err := Parse("three.yaml", []byte(threeRegionsFile))
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.Plan()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestEachRegionHasItsOwnStoreControlAndVIPs(t *testing.T) {
	p := threeRegions(t)
	if got, _ := p.AdminVIP("sh"); got.String() != "10.102.255.1" {
		t.Errorf("admin VIP of sh is %s", got)
	}
	if _, ok := p.AdminVIP("gz"); ok {
		t.Error("gz has an admin VIP and no l7admin")
	}
	if got := p.EtcdEndpoints("gz"); !slices.Equal(got, []string{"http://10.103.7.3:2379"}) {
		t.Errorf("etcd of gz: %v", got)
	}
	if n, ok := p.Node("sh/az1/admin-2"); !ok || n.Member.String() != "100.127.2.241" {
		t.Errorf("sh/az1/admin-2: %+v", n)
	}
	c, _ := p.Node("client/inet-2")
	if got := len(p.LinksOf(c.Ref)); got != 3 {
		t.Errorf("a client has %d links, want one to each edge", got)
	}
	for _, v := range []string{"sh-eip", "gz-eip"} {
		vip, _ := p.VIP(v)
		if next, err := newWalker(p).next(c.Ref, vip.Address); err != nil || next != Ref(vip.Region+"/edge") {
			t.Errorf("%s leads to %s, %v", v, next, err)
		}
	}
}

func TestGatewayDriverIsThatOfTheNearestLevel(t *testing.T) {
	p := threeRegions(t)
	for ref, want := range map[Ref]string{"bj/az1/l7-1": "l7gw", "bj/az2/l7-1": "apisix-3", "sh/az1/l7-1": "apisix-3"} {
		n, _ := p.Node(ref)
		if got := n.Processes[0]; !got.Gateway || got.Driver != want {
			t.Errorf("%s: driver %q, want %q", ref, got.Driver, want)
		}
	}
}

func TestClientsAndIDCServersMayNotSpeakVXLAN(t *testing.T) {
	p := libraryPlan(t, "two-az")
	for ref, outside := range map[Ref]Selector{"bj/edge": "client/*", "bj/az1/router": "idc/bj/blue-*", "bj/az2/router": "idc/bj/green-*"} {
		n, _ := p.Node(ref)
		if len(n.Deny) != 1 || !slices.Equal(n.Deny[0].UDPPorts, []uint16{4789, 4790}) {
			t.Fatalf("%s denies %+v", ref, n.Deny)
		}
		var want []string
		for _, l := range p.LinksOf(ref) {
			near, _ := l.Near(ref)
			if far, _ := l.Far(ref); outside.Match(far.Node) {
				want = append(want, near.If)
			}
		}
		if !slices.Equal(n.Deny[0].InIfs, want) || len(want) == 0 {
			t.Errorf("%s denies on %v, want %v", ref, n.Deny[0].InIfs, want)
		}
	}
	if n, _ := p.Node("bj/az3/router"); len(n.Deny) != 0 {
		t.Errorf("az3 has no IDC server and denies %+v", n.Deny)
	}
}

func TestHelloNeedsNoEBPF(t *testing.T) {
	for _, n := range libraryPlan(t, "hello").Nodes {
		for _, q := range n.Processes {
			if q.Name == ProcAgent || q.Name == ProcL4 || strings.Contains(strings.Join(q.Args, " "), "/sys/fs/bpf") {
				t.Errorf("%s runs %s", n.Ref, q.Name)
			}
		}
	}
}
