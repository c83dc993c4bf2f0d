package topology

import (
	"net/netip"
	"reflect"
	"strings"
	"testing"
)

func TestSpecMadeInGoNeedsNoFile(t *testing.T) {
	s := &Spec{
		Lab: "go",
		Regions: []Region{{Name: "bj", AZs: []AZ{{Name: "az1", L7: 1}}, Etcd: Etcd{Members: []EtcdMember{{Name: "e1", AZ: "az1"}}},
			IDC: []IDC{{Name: "blue", AZ: "az1", CIDR: netip.MustParsePrefix("10.20.1.0/24")}}}},
		Clients: []Clients{{Name: "inet"}},
	}
	before := s.clone()
	p, err := s.Plan()
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := p.Node("idc/bj/blue-1"); !ok {
		t.Error("a count of zero is not taken as its default")
	}
	if !reflect.DeepEqual(s, before) {
		t.Errorf("Plan changed the spec: %+v", s)
	}
	s.Regions[0].Etcd.Members[0].AZ = "az2"
	s.Clients = nil
	err = s.Validate()
	want := "clients is missing\n" + `no AZ "az2" in region "bj" (did you mean "az1"?)` + "\n2 problems"
	if err == nil || err.Error() != want {
		t.Errorf("got:\n%v\nwant:\n%s", err, want)
	}
	if _, err := s.Plan(); err == nil {
		t.Error("Plan takes a spec that is not valid")
	}
}

func TestLimitsHoldTogether(t *testing.T) {
	for name, tt := range map[string]struct{ set, want string }{
		"gateways of a region": {"regions.bj.azs={a: {l7: 64}, b: {l7: 64}, c: {l7: 64}, az1: {l7: 64, l4: 1, hosts: 1}, az2: {}}", `region "bj" has 256 gateways; at most 239`},
		"clients":              {"clients=[{name: a, count: 256}, {name: b, count: 256}, {name: c, count: 256}, {name: d, count: 256}, {name: e}]", "1025 clients; at most 1024"},
		"nodes": {"guests=[" + strings.TrimSuffix(strings.Repeat("{vpc: shop, name: x, ip: 192.168.0.10, count: 256},", 8), ",") + "]",
			"2060 nodes; a lab has at most 2000"},
		"azs": {"regions.bj.azs={az1: {l4: 1, l7: 1, hosts: 1}, az2: {}, c: {}, d: {}, e: {}, f: {}, g: {}, h: {}, i: {}, j: {}, k: {}, l: {}, m: {}, n: {}, o: {}, p: {}, q: {}}",
			"regions.bj.azs has 17 entries; at most 16"},
	} {
		_, err := Parse("f.yaml", []byte(base), tt.set)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got:\n%v\nwant:\n%s", name, err, tt.want)
		}
	}
}

// The largest region must not run out of its address blocks.
func TestLargestRegionHasAddressesForAll(t *testing.T) {
	s, err := Parse("f.yaml", []byte(base))
	if err != nil {
		t.Fatal(err)
	}
	r := &s.Regions[0]
	r.AZs, r.IDC = nil, nil
	for i := range 16 {
		z := AZ{Name: "az" + string(rune('a'+i)), L4: 8, L7: 14, Hosts: 64}
		r.AZs = append(r.AZs, z)
		r.Control.L7Admin[0], r.Control.LBCAPI[0] = "aza", "aza"
	}
	for range 15 {
		r.Control.L7Admin = append(r.Control.L7Admin, "aza")
		r.Control.LBCAPI = append(r.Control.LBCAPI, "aza")
	}
	r.AZs[0].L7, r.AZs[0].Hosts = 29, 64
	for i := range r.Etcd.Members {
		r.Etcd.Members[i].AZ = "aza"
	}
	p, err := s.Plan()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[netip.Addr]Ref{}
	for _, n := range p.Nodes {
		if first, ok := seen[n.Member]; ok && n.Member.IsValid() {
			t.Errorf("%s has the member address of %s", n.Ref, first)
		}
		seen[n.Member] = n.Ref
		if n.Region == "bj" && n.Kind != KindGuest && !regionNet(1).Contains(n.Underlay) {
			t.Errorf("%s is outside its region: %s", n.Ref, n.Underlay)
		}
	}
	for _, z := range []string{"aza", "azp"} {
		router, _ := p.Node(Ref("bj/" + z + "/router"))
		if !edgeNetContains(router.Underlay) {
			t.Errorf("%s: %s", router.Ref, router.Underlay)
		}
	}
}

func edgeNetContains(a netip.Addr) bool { return netip.MustParsePrefix("10.101.252.0/24").Contains(a) }
