package topology

import (
	"fmt"
	"net/netip"
	"strings"
)

// A regionBuild is what the parts of a region need of each other.
type regionBuild struct {
	*Region
	index   int
	edge    *Node
	zones   []*zoneBuild
	etcd    []string // client URLs
	cluster []string // name=peer URL
	admin   netip.Addr
	members int // member addresses of gateways so far
	admins  int // and of l7admin
}

// A zoneBuild is one AZ and its router.
type zoneBuild struct {
	*AZ
	index  int
	router *Node
	toEdge pair
	edgeIf string            // the edge's interface to the router
	toward map[string]nextAZ // by AZ: the router's direct link there
}

type nextAZ struct {
	via, src netip.Addr
	dev      string
}

func (r *regionBuild) zone(name string) *zoneBuild {
	for _, z := range r.zones {
		if z.Name == name {
			return z
		}
	}
	return nil
}

// region plans region number i (from 1).
func (b *builder) region(i int) {
	r := &regionBuild{Region: &b.spec.Regions[i-1], index: i}
	b.regions = append(b.regions, r)
	r.edge = b.node(Ref(r.Name+"/edge"), KindEdge, r.Name, "")
	r.edge.Forward = true
	for a := range r.AZs {
		b.router(r, a+1)
	}
	for a := range r.zones {
		for _, far := range r.zones[a+1:] {
			b.cable(r, r.zones[a], far)
		}
	}
	b.etcd(r)
	b.control(r)
	for _, z := range r.zones {
		b.zoneServers(r, z)
	}
	for i := range r.IDC {
		b.idc(r, &r.IDC[i])
	}
	b.spread(r)
}

// router plans the router of AZ number a and its link to the edge.
func (b *builder) router(r *regionBuild, a int) {
	z := &zoneBuild{AZ: &r.AZs[a-1], index: a, toEdge: routerPair(r.index, a), toward: map[string]nextAZ{}}
	z.router = b.node(Ref(r.Name+"/"+z.Name+"/router"), KindRouter, r.Name, z.Name)
	z.router.Forward = true
	var dev string
	dev, z.edgeIf = b.join(plain, z.router, r.edge, z.toEdge)
	route(z.router, everywhere, z.toEdge.router.Addr(), dev, z.toEdge.server.Addr())
	route(r.edge, azNet(r.index, a), z.toEdge.server.Addr(), z.edgeIf, z.toEdge.router.Addr())
	r.zones = append(r.zones, z)
}

// cable joins the routers of two AZs and routes each AZ's network over it. When
// the cable is taken down on a router's own side its routes go with it, and the
// default route by the edge takes over.
func (b *builder) cable(r *regionBuild, x, y *zoneBuild) {
	j := plain
	for i, w := range r.Wires {
		if w.Pair == x.Name+"--"+y.Name || w.Pair == y.Name+"--"+x.Name {
			j = plain.over(b.spec.wiring(r.Region, &r.Wires[i].Wiring, "regions."+r.Name+".wires."+w.Pair))
		}
	}
	at := interPair(r.index, x.index, y.index)
	// x, the first, is named first and takes the even address.
	xIf, yIf := b.join(j, x.router, y.router, pair{router: at.server, server: at.router})
	x.toward[y.Name] = nextAZ{at.server.Addr(), at.router.Addr(), xIf}
	y.toward[x.Name] = nextAZ{at.router.Addr(), at.server.Addr(), yIf}
	routeToward(x, y, azNet(r.index, y.index))
	routeToward(y, x, azNet(r.index, x.index))
}

// routeToward sends what is for a network of AZ y from x over their cable.
func routeToward(x, y *zoneBuild, dst netip.Prefix) {
	next := x.toward[y.Name]
	route(x.router, dst, next.via, next.dev, next.src)
}

func (b *builder) etcd(r *regionBuild) {
	perAZ := map[string]int{}
	for _, m := range r.Etcd.Members {
		z := r.zone(m.AZ)
		perAZ[z.Name]++
		n := b.node(Ref(fmt.Sprintf("%s/%s/etcd-%s", r.Name, z.Name, m.Name)), KindEtcd, r.Name, z.Name)
		if r.Etcd.Disk.Impairable {
			n.Disk = DiskFUSE
		}
		b.uplink(plain, n, z.router, serverPair(r.index, z.index, slotEtcd, perAZ[z.Name]))
		r.etcd = append(r.etcd, etcdURL(n.Underlay, EtcdClientPort))
		r.cluster = append(r.cluster, m.Name+"="+etcdURL(n.Underlay, EtcdPeerPort))
	}
	for _, m := range r.Etcd.Members {
		n := b.nodes[Ref(fmt.Sprintf("%s/%s/etcd-%s", r.Name, m.AZ, m.Name))]
		n.Processes = append(n.Processes, etcdProcess(n, m.Name, strings.Join(r.cluster, ",")))
	}
}

func (b *builder) control(r *regionBuild) {
	if len(r.Control.L7Admin) > 0 && r.hasL4() {
		r.admin = adminVIP(r.index)
	}
	perAZ := map[string]int{}
	for _, name := range r.Control.L7Admin {
		z := r.zone(name)
		perAZ[name]++
		n := b.node(member(r.Name, name, "admin", perAZ[name]), KindAdmin, r.Name, name)
		b.uplink(plain, n, z.router, serverPair(r.index, z.index, slotControl, perAZ[name]))
		if r.hasL4() {
			n.Member = memberAddr(r.index, firstAdminMember+r.admins)
			r.admins++
		}
		n.Processes = adminProcesses(r, n)
	}
	clear(perAZ)
	for _, name := range r.Control.LBCAPI {
		z := r.zone(name)
		perAZ[name]++
		n := b.node(member(r.Name, name, "api", perAZ[name]), KindAPI, r.Name, name)
		b.uplink(plain, n, z.router, serverPair(r.index, z.index, slotControl, 64+perAZ[name]))
		n.Processes = []Process{apiProcess(r, n)}
	}
}
