package topology

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
)

// Plan decides everything that follows from the Spec. It fails with Errors when
// the Spec is not valid.
func (s *Spec) Plan() (*Plan, error) {
	c, err := s.complete()
	if err != nil {
		return nil, err
	}
	b := &builder{spec: c, seed: c.Seed, nodes: map[Ref]*Node{}, ports: map[Ref]int{}, guestPorts: map[Ref]int{}}
	for i := range c.Regions {
		b.region(i + 1)
	}
	b.guests()
	b.clients()
	p := b.plan()
	if err := p.Check(); err != nil {
		return nil, fmt.Errorf("plan of %s: %w", c.Lab, err)
	}
	return p, nil
}

// A builder grows a plan region by region.
type builder struct {
	spec       *Spec
	seed       uint64
	regions    []*regionBuild
	nodes      map[Ref]*Node
	order      []*Node
	ports      map[Ref]int // ethernet interfaces so far
	guestPorts map[Ref]int // guests so far, of a host
	links      []Link
	groups     []NexthopGroup
	vpcs       []PlannedVPC
	vips       []PlannedVIP
}

// member is the Ref of number n of its kind in an AZ.
func member(region, az, what string, n int) Ref {
	return Ref(fmt.Sprintf("%s/%s/%s-%d", region, az, what, n))
}

func (b *builder) node(ref Ref, k Kind, region, zone string) *Node {
	n := &Node{Ref: ref, Kind: k, Region: region, Zone: zone}
	b.nodes[ref] = n
	b.order = append(b.order, n)
	return n
}

// A joint is a link under construction.
type joint struct {
	kind   LinkKind
	mtu    int
	impair Impairment
}

var (
	plain   = joint{kind: LinkVeth, mtu: underlayMTU}
	outside = joint{kind: LinkVeth, mtu: outsideMTU}
)

// join links server a to router b and returns the names of both interfaces.
// The first link of a server is its uplink: its address is the node's.
func (b *builder) join(j joint, a, r *Node, at pair) (aIf, rIf string) {
	aIf, rIf = b.port(a), b.port(r)
	b.links = append(b.links, Link{
		Name: fmt.Sprintf("%s--%s", a.Ref, r.Ref), Kind: j.kind, MTU: j.mtu, Impair: j.impair,
		A: End{Node: a.Ref, If: aIf, Addr: at.server},
		B: End{Node: r.Ref, If: rIf, Addr: at.router},
	})
	if !a.Underlay.IsValid() {
		a.Underlay = at.server.Addr()
	}
	if !r.Underlay.IsValid() {
		r.Underlay = at.router.Addr()
	}
	return aIf, rIf
}

// uplink joins a server that has one link only and sends everything there. The
// route carries src: a gateway has VIPs on lo, and the kernel must not take one
// of those.
func (b *builder) uplink(j joint, a, r *Node, at pair) {
	dev, _ := b.join(j, a, r, at)
	a.Routes = append(a.Routes, Route{Dst: everywhere, Via: at.router.Addr(), Dev: dev, Src: at.server.Addr()})
}

func (b *builder) port(n *Node) string {
	name := fmt.Sprintf("eth%d", b.ports[n.Ref])
	b.ports[n.Ref]++
	return name
}

// route adds a route that leaves n by dev. Src is the node's own address there.
func route(n *Node, dst netip.Prefix, via netip.Addr, dev string, src netip.Addr) {
	n.Routes = append(n.Routes, Route{Dst: dst, Via: via, Dev: dev, Src: src})
}

// rank is the order of kinds in a plan: what others wait for comes first.
var rank = map[Kind]int{
	KindEdge: 0, KindRouter: 1, KindEtcd: 2, KindAdmin: 3, KindL4: 4, KindHost: 5, KindL7: 6,
	KindAPI: 7, KindIDC: 8, KindGuest: 9, KindClient: 10,
}

func (b *builder) plan() *Plan {
	slices.SortStableFunc(b.order, func(x, y *Node) int { return cmp.Compare(rank[x.Kind], rank[y.Kind]) })
	p := &Plan{Lab: b.spec.Lab, Seed: b.spec.Seed, Links: b.links, Groups: b.groups, VPCs: b.vpcs, VIPs: b.vips}
	for _, n := range b.order {
		p.Nodes = append(p.Nodes, *n)
	}
	return p
}
