package topology

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the golden files under testdata")

func libraryPlan(t *testing.T, name string, overrides ...string) *Plan {
	t.Helper()
	s, err := LoadLibrary(name, overrides...)
	if err != nil {
		t.Fatalf("load %s: %v", name, err)
	}
	p, err := s.Plan()
	if err != nil {
		t.Fatalf("plan %s: %v", name, err)
	}
	return p
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; run go test ./topology -update", err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs; look at git diff after go test ./topology -update\ngot:\n%s", path, got)
	}
}

func marshal(t *testing.T, p *Plan) []byte {
	t.Helper()
	b, err := json.MarshalIndent(p, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return append(b, '\n')
}

func TestLibraryPlansAreAsRecorded(t *testing.T) {
	for _, name := range LibraryNames() {
		t.Run(name, func(t *testing.T) {
			p := libraryPlan(t, name)
			if p.Lab != name {
				t.Errorf("lab %q in file %s", p.Lab, name)
			}
			if len(p.Nodes) > 200 {
				golden(t, "plan/"+name+".json", excerpt(t, p))
				return
			}
			golden(t, "plan/"+name+".json", marshal(t, p))
			golden(t, "summary/"+name+".txt", []byte(p.Summary()))
		})
	}
}

// excerpt stands for a plan that is too large to keep: its digest, which no change
// escapes, and enough of it to see what changed.
func excerpt(t *testing.T, p *Plan) []byte {
	t.Helper()
	e := struct {
		Digest        string
		SummaryDigest string
		Nodes         map[Kind]int
		Links         map[LinkKind]int
		VPCs          []PlannedVPC
		SomeNodes     []Node
		SomeLinks     []Link
	}{Digest: p.Digest(), SummaryDigest: fmt.Sprintf("%x", sha256.Sum256([]byte(p.Summary()))), Nodes: map[Kind]int{}, Links: map[LinkKind]int{}, VPCs: p.VPCs}
	for i, n := range p.Nodes {
		if e.Nodes[n.Kind]++; e.Nodes[n.Kind] == 1 || i == len(p.Nodes)-2 {
			e.SomeNodes = append(e.SomeNodes, n)
		}
	}
	for i, l := range p.Links {
		if e.Links[l.Kind]++; i == 0 || i >= len(p.Links)-2 {
			e.SomeLinks = append(e.SomeLinks, l)
		}
	}
	b, err := json.MarshalIndent(e, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return append(b, '\n')
}

func TestDigestTellsPlansApart(t *testing.T) {
	p := libraryPlan(t, "two-az")
	digest := p.Digest()
	if again := libraryPlan(t, "two-az").Digest(); len(digest) != 64 || again != digest {
		t.Errorf("digests of one plan: %q, %q", digest, again)
	}
	if back := copyPlan(t, p).Digest(); back != digest {
		t.Errorf("the digest is %s before JSON and %s after", digest, back)
	}
	if named := libraryPlan(t, "two-az", "lab=mine").Digest(); named != digest {
		t.Error("the name of the lab changes the digest")
	}
	for _, set := range []string{"seed=43", "regions.bj.wires.az1--az2.delay=2ms", "regions.bj.wires.az1--az2.loss=0.01", "regions.bj.azs.az1.l7=3", "defaults.gateway=nginx"} {
		if other := libraryPlan(t, "two-az", set).Digest(); other == digest {
			t.Errorf("--set %s leaves the digest as it is", set)
		}
	}
}

func TestPlanIsAPureFunction(t *testing.T) {
	s, err := LoadLibrary("two-az")
	if err != nil {
		t.Fatal(err)
	}
	first, err := s.Plan()
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		again, err := s.Plan()
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(marshal(t, again), marshal(t, first)) {
			t.Fatal("a second plan of the same spec differs")
		}
	}
}

func TestPlanSurvivesJSON(t *testing.T) {
	p := libraryPlan(t, "two-az")
	var back Plan
	if err := json.Unmarshal(marshal(t, p), &back); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(&back, p) {
		t.Error("plan changed on its way through JSON")
	}
	if err := back.Check(); err != nil {
		t.Error(err)
	}
}

func TestTwoAZHasTheShapeThatScenariosCountOn(t *testing.T) {
	p := libraryPlan(t, "two-az")
	want := map[Kind]int{KindEdge: 1, KindRouter: 3, KindEtcd: 3, KindAdmin: 2, KindAPI: 2, KindL4: 2, KindL7: 4,
		KindHost: 4, KindGuest: 6, KindIDC: 4, KindClient: 4}
	for k, n := range want {
		if got := len(p.OfKind(k)); got != n {
			t.Errorf("%d nodes of kind %s, want %d", got, k, n)
		}
	}
	shop, _ := p.Node("vpc/shop/web-1")
	games, _ := p.Node("vpc/games/web-1")
	if shop.Guest.IP != games.Guest.IP || shop.Guest.Host != games.Guest.Host {
		t.Errorf("shop's web-1 is %v, games' is %v; want one address on one host", shop.Guest, games.Guest)
	}
	if shop.Guest.MAC == games.Guest.MAC || shop.Guest.HostIf == games.Guest.HostIf {
		t.Errorf("shop's web-1 and games' share MAC or interface: %v, %v", shop.Guest, games.Guest)
	}
	if got := len(p.Select("bj/az1/**")); got != 9 {
		t.Errorf("bj/az1/** selects %d nodes, want 9", got)
	}
	wire, ok := p.Link("bj/az1/router--bj/az2/router")
	if !ok || wire.Kind != LinkWire || wire.Impair.Delay.String() != "1ms" {
		t.Errorf("az1--az2 is %+v, want a wire of 1ms", wire)
	}
	if l := p.Between("bj/az3/router", "bj/az1/router"); len(l) != 1 || l[0].Kind != LinkVeth {
		t.Errorf("az1--az3 is %v, want a plain link", l)
	}
}

func TestOneMoreServerMovesNoOtherAddress(t *testing.T) {
	before := libraryPlan(t, "two-az")
	after := libraryPlan(t, "two-az", "regions.bj.azs.az2.l7=5", "regions.bj.azs.az1.hosts=3", "regions.bj.azs.az1.l4=2",
		"clients[0].count=6", "regions.bj.control.l7admin=[az1, az2, az3]")
	for _, n := range before.Nodes {
		m, ok := after.Node(n.Ref)
		if !ok {
			t.Errorf("%s is gone", n.Ref)
			continue
		}
		if m.Underlay != n.Underlay && n.Kind != KindGuest || m.Member != n.Member {
			t.Errorf("%s moved from %s (%s) to %s (%s)", n.Ref, n.Underlay, n.Member, m.Underlay, m.Member)
		}
	}
}

func TestSeedDecidesMACsOnly(t *testing.T) {
	a, b := libraryPlan(t, "two-az"), libraryPlan(t, "two-az", "seed=43")
	ga, _ := a.Node("vpc/shop/web-1")
	gb, _ := b.Node("vpc/shop/web-1")
	if ga.Guest.MAC == gb.Guest.MAC {
		t.Errorf("seeds 42 and 43 give the same MAC %s", ga.Guest.MAC)
	}
	if ga.Guest.IP != gb.Guest.IP || ga.Guest.Host != gb.Guest.Host {
		t.Error("the seed moved a guest")
	}
}
