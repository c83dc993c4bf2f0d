package topology

import (
	"net/netip"

	"github.com/unilb/unilb/topology/strict"
)

// A Spec is a topology file: the shape of a lab in the user's words. Counts
// stand for members that are alike; all addresses that are not given follow
// from the shape (see docs/topologies.md).
//
// Mappings of the file are slices here, in the order of the file, because the
// order decides the numbers in addresses. The tags are the file format: "yaml"
// is the key, ",key" holds the key of a mapping's entry, ",value" its plain
// value; "min" and "max" bound a number, or the entries of a list or mapping;
// "enum" lists what a text may be; "default" is what leaving it out means; see
// package strict. The comments of the fields become the descriptions in
// schema.json.
type Spec struct {
	// Name of the lab: the name of its run and of its supervisor.
	Lab string `yaml:"lab" required:"true"`
	// Seed of everything that looks random: guests' MACs, wires, traffic.
	Seed uint64 `yaml:"seed"`
	// What holds for every region that does not say otherwise.
	Defaults Defaults `yaml:"defaults"`
	// Regions by name. The first is region 1: its underlay is 10.101.0.0/16.
	Regions []Region `yaml:"regions" required:"true" max:"8"`
	// Tenants' networks by name.
	VPCs []VPC `yaml:"vpcs" max:"256"`
	// Tenants' VMs and pods.
	Guests []Guests `yaml:"guests" max:"256"`
	// Addresses that the edge spreads over the L4 nodes.
	VIPs []VIP `yaml:"vips" max:"256"`
	// Machines outside, on the client side of the edge.
	Clients []Clients `yaml:"clients" required:"true" max:"64"`

	src *strict.Source
}

// Defaults hold for every region, AZ and node that does not say otherwise.
type Defaults struct {
	// Driver of the gateway under test: a file in conformance/drivers.
	Gateway string `yaml:"gateway" default:"l7gw"`
	// The links between servers, and what every wire is like that does not say
	// otherwise.
	Wire WireDefaults `yaml:"wire"`
}

// WireDefaults describe the underlay's links.
type WireDefaults struct {
	// MTU of the underlay in bytes. Only 1600 is possible: an inner packet of
	// 1550 bytes and the 50 bytes of VXLAN around it.
	MTU int `yaml:"mtu" default:"1600"`
	Wiring
}

// A Region has one edge router, one etcd cluster and one control plane.
type Region struct {
	Name string `yaml:",key"`
	// A network and nothing that runs in it: routers, hosts without an agent,
	// guests, IDC servers. Gateways, L4 nodes, etcd and control plane are refused.
	Bare bool `yaml:"bare"`
	// Driver of this region's gateways; without it that of defaults.
	Gateway string `yaml:"gateway"`
	// Availability zones by name. The first is AZ 1: its underlay in region 1
	// is 10.101.4.0/22.
	AZs []AZ `yaml:"azs" required:"true" max:"16"`
	// The store.
	Etcd Etcd `yaml:"etcd"`
	// Where the control plane runs.
	Control Control `yaml:"control"`
	// What every wire of the region is like that does not say otherwise; without
	// it that of defaults.
	Wire Wiring `yaml:"wire"`
	// Cables between AZs that are slow or can be degraded, by "az1--az2". Pairs
	// that are not named here are joined by a plain link.
	Wires []Wire `yaml:"wires" max:"120"`
	// Pools of classic servers by name, reached by routing alone.
	IDC []IDC `yaml:"idc" max:"16"`
}

// An AZ has one router; its other members are given by number.
type AZ struct {
	Name string `yaml:",key"`
	// Driver of this AZ's gateways; without it that of the region.
	Gateway string `yaml:"gateway"`
	// L4 load balancers: l4-1, l4-2 ... They hang on the edge router.
	L4 int `yaml:"l4" min:"0" max:"8"`
	// Gateways under test: l7-1, l7-2 ...
	L7 int `yaml:"l7" min:"0" max:"64"`
	// Hypervisor hosts for guests: host-1, host-2 ...
	Hosts int `yaml:"hosts" min:"0" max:"64"`
	// What single servers have of their own, by name: "l7-2".
	Nodes []NodeOverride `yaml:"nodes" max:"256"`
}

// A NodeOverride is what one server of an AZ has of its own.
type NodeOverride struct {
	Name string `yaml:",key"`
	// Driver of this gateway; without it that of the AZ.
	Gateway string `yaml:"gateway"`
}

// Etcd is the region's store.
type Etcd struct {
	// The AZ of each member, by the member's name.
	Members []EtcdMember `yaml:"members" max:"7"`
	// Where the members keep their data.
	Disk Disk `yaml:"disk"`
}

// A Disk is what a server's processes keep their data on.
type Disk struct {
	// Whether faults may make the disk slow later: the data then lies on a file
	// system of the lab (FUSE) that passes everything on.
	Impairable bool `yaml:"impairable"`
}

// An EtcdMember is one server of the store, node "etcd-" and its name.
type EtcdMember struct {
	Name string `yaml:",key"`
	AZ   string `yaml:",value" required:"true"`
}

// Control says in which AZs the control plane runs, one server for each entry;
// an AZ may be named more than once.
type Control struct {
	// Tenant API servers: api-1, api-2 ... in each AZ. They reach l7admin by
	// its VIP, so they need an L4 node.
	LBCAPI []string `yaml:"lbc-api" max:"16"`
	// APISIX Admin API servers: admin-1, admin-2 ... in each AZ. With L4 nodes
	// in the region they get a VIP.
	L7Admin []string `yaml:"l7admin" max:"16"`
}

// A Wiring is what a cable is like, both directions alike, besides what it joins.
type Wiring struct {
	Impairment
	// Whether faults may degrade the cable later. A cable that does nothing to
	// frames and need not be impairable is a plain kernel link.
	Impairable bool `yaml:"impairable"`
}

// A Wire is a cable between the routers of two AZs.
type Wire struct {
	Pair string `yaml:",key"` // "az1--az2"
	Wiring
}

// An IDC is a pool of classic servers that answer HTTP on port 8080.
type IDC struct {
	Name string `yaml:",key"`
	// AZ whose router the servers hang on.
	AZ string `yaml:"az" required:"true"`
	// Number of servers.
	Count int `yaml:"count" min:"1" max:"64" default:"1"`
	// Network of the pool; each server takes two addresses of it.
	CIDR netip.Prefix `yaml:"cidr" required:"true"`
	// Cable between each server and its router; without it a plain link.
	Wire *Wiring `yaml:"wire"`
}

// A VPC is a tenant's network.
type VPC struct {
	Name string `yaml:",key"`
	// VXLAN network identifier; each VPC has its own.
	VNI uint32 `yaml:"vni" required:"true" min:"1" max:"16777215"`
	// Network of the VPC. Its first address is the guests' gateway.
	CIDR netip.Prefix `yaml:"cidr" required:"true"`
	// VPCs that share addresses with this one on purpose. An overlap that
	// neither of the two names is an error.
	Overlaps []string `yaml:"overlaps" max:"256"`
}

// Guests are alike VMs or pods that answer HTTP on port 8080: name-1, name-2 ...
type Guests struct {
	VPC  string `yaml:"vpc" required:"true"`
	Name string `yaml:"name" required:"true"`
	// What they stand for; both are namespaces behind a host's vswitch.
	Kind string `yaml:"kind" enum:"vm,pod" default:"vm"`
	// Number of guests.
	Count int `yaml:"count" min:"1" max:"256" default:"1"`
	// Address of the first one; the others count up.
	IP netip.Addr `yaml:"ip" required:"true"`
	// Hosts that take them in turn.
	On Selector `yaml:"on" default:"*/*/host-*"`
}

// A VIP is an address of a load balancer.
type VIP struct {
	Name    string     `yaml:"name" required:"true"`
	Address netip.Addr `yaml:"address" required:"true"`
	// "eip" is reached from outside, "vip" from inside.
	Kind string `yaml:"kind" enum:"eip,vip" default:"eip"`
	// Where its targets are: "vpc" or "idc".
	Path string `yaml:"path" required:"true" enum:"vpc,idc"`
	// Region that serves it; may be left out when there is one only.
	Region string `yaml:"region"`
}

// Clients are alike machines outside: name-1, name-2 ...
type Clients struct {
	Name string `yaml:"name" required:"true"`
	// Side of the edge they are on.
	At string `yaml:"at" enum:"internet" default:"internet"`
	// Number of clients.
	Count int `yaml:"count" min:"1" max:"256" default:"1"`
	// Cable between each client and the edge of each region; without it a plain
	// link.
	Wire *Wiring `yaml:"wire"`
}

// Limits that tags cannot say.
const (
	maxNodes    = 2000 // nodes of a lab
	maxClients  = 1024 // clients of a lab
	maxL7       = 239  // gateways of a region: member addresses 100.127.r.1-239
	underlayMTU = 1600 // bytes
	outsideMTU  = 1500 // bytes: clients, IDC servers, guests
)
