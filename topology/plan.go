package topology

import (
	"net"
	"net/netip"
)

// A Plan is everything that must exist for a lab to run: namespaces, links,
// addresses, routes and processes, with every name and number decided. It is
// a pure function of a Spec, so it can be read, compared and tested without
// root. A Plan is immutable once made.
type Plan struct {
	Lab    string         `json:"lab"`
	Seed   uint64         `json:"seed"`
	Nodes  []Node         `json:"nodes"` // in the order in which processes start
	Links  []Link         `json:"links"`
	Groups []NexthopGroup `json:"groups,omitempty"`
	VPCs   []PlannedVPC   `json:"vpcs,omitempty"`
	VIPs   []PlannedVIP   `json:"vips,omitempty"`
}

// A Kind says what a node is for. The zero value is invalid.
type Kind string

// The kinds of nodes.
const (
	KindEdge   Kind = "edge"   // the region's edge router: ECMP to L4, ACLs
	KindRouter Kind = "router" // the router of an AZ
	KindEtcd   Kind = "etcd"
	KindAdmin  Kind = "l7admin"
	KindAPI    Kind = "lbc-api"
	KindL4     Kind = "l4"
	KindL7     Kind = "l7"
	KindHost   Kind = "host" // hypervisor host
	KindGuest  Kind = "guest"
	KindIDC    Kind = "idc"
	KindClient Kind = "client"
)

// A Node is one network namespace and the processes that run in it.
type Node struct {
	Ref       Ref            `json:"ref"`
	Kind      Kind           `json:"kind"`
	Region    string         `json:"region,omitempty"`
	Zone      string         `json:"zone,omitempty"`
	Underlay  netip.Addr     `json:"underlay,omitzero"` // address of the first uplink; the VTEP
	Member    netip.Addr     `json:"member,omitzero"`   // 100.127.0.0/16, for servers behind L4
	Forward   bool           `json:"forward,omitempty"` // ip_forward
	Loopback  []netip.Prefix `json:"loopback,omitempty"`
	Routes    []Route        `json:"routes,omitempty"`
	Deny      []Deny         `json:"deny,omitempty"`
	Guest     *GuestInfo     `json:"guest,omitempty"`
	Processes []Process      `json:"processes,omitempty"`
	Echo      []uint16       `json:"echo,omitempty"` // ports of in-process echo backends
	Disk      DiskKind       `json:"disk,omitempty"` // what the node's directory lies on
}

// A DiskKind says what a node keeps its data on. The zero value is the machine's
// own file system.
type DiskKind string

// DiskFUSE is a file system of the lab that passes everything on and that faults
// can make slow.
const DiskFUSE DiskKind = "fuse"

// GuestInfo places a guest in its VPC and on its host.
type GuestInfo struct {
	VPC    string     `json:"vpc"`
	VNI    uint32     `json:"vni"`
	Kind   string     `json:"kind"` // "vm" or "pod"
	IP     netip.Addr `json:"ip"`
	MAC    string     `json:"mac"`
	Host   Ref        `json:"host"`
	VTEP   netip.Addr `json:"vtep"`
	HostIf string     `json:"host_if"` // the host's end of the guest's link
}

// A LinkKind says how a link is built. The zero value is invalid.
type LinkKind string

// The kinds of links.
const (
	LinkVeth LinkKind = "veth" // kernel pair
	LinkWire LinkKind = "wire" // userspace cable that can be degraded (sim/wire)
)

// A Link joins two nodes.
type Link struct {
	Name   string     `json:"name"` // readable, e.g. "bj/az1/l7-1--bj/az1/router"
	Kind   LinkKind   `json:"kind"`
	MTU    int        `json:"mtu"`             // 1600 in the underlay, 1500 outside it
	Impair Impairment `json:"impair,omitzero"` // of both directions; wires only
	A      End        `json:"a"`
	B      End        `json:"b"`
}

// An End is one interface of a link.
type End struct {
	Node Ref          `json:"node"`
	If   string       `json:"if"`            // at most 15 bytes
	Addr netip.Prefix `json:"addr,omitzero"` // absent on the host's end of a guest link
	MAC  string       `json:"mac,omitempty"` // set where it matters, else the kernel's choice
}

// HardwareAddr parses the end's MAC; nil when it has none.
func (e End) HardwareAddr() net.HardwareAddr {
	mac, err := net.ParseMAC(e.MAC)
	if err != nil {
		return nil
	}
	return mac
}

// A Route is a static route. Exactly one of Via (with Dev) and Group is set.
type Route struct {
	Dst   netip.Prefix `json:"dst"`
	Via   netip.Addr   `json:"via,omitzero"`
	Dev   string       `json:"dev,omitempty"`
	Src   netip.Addr   `json:"src,omitzero"`
	Group string       `json:"group,omitempty"`
}

// A NexthopGroup is a resilient ECMP group in the node named Node. A leg whose
// probe fails leaves the group and comes back when it succeeds.
type NexthopGroup struct {
	Name string `json:"name"`
	Node Ref    `json:"node"`
	Legs []Leg  `json:"legs"`
}

// A Leg is one nexthop of a group.
type Leg struct {
	To    Ref        `json:"to"`
	Via   netip.Addr `json:"via"`
	Dev   string     `json:"dev"`
	Probe string     `json:"probe"` // URL that must answer 200, asked from the group's node
}

// A Deny drops forwarded packets that enter by one of the interfaces and go to
// one of the UDP ports.
type Deny struct {
	InIfs    []string `json:"in_ifs"`
	UDPPorts []uint16 `json:"udp_ports"`
	Why      string   `json:"why"`
}

// A Process is one real binary in a node. For gateways Binary is empty: the
// gateway's driver fills in the command from the Node (see sim/lab).
type Process struct {
	Name   string            `json:"name"`
	Binary string            `json:"binary,omitempty"` // base name, looked up in the lab's binary directory
	Args   []string          `json:"args,omitempty"`
	Env    map[string]string `json:"env,omitempty"`
	Stage  int               `json:"stage"` // processes of one stage start together, after the stage before is ready
	// Gateway marks the process as the gateway under test.
	Gateway bool `json:"gateway,omitempty"`
	// Driver names the manifest in conformance/drivers that starts the gateway.
	Driver string `json:"driver,omitempty"`
}

// PlannedVPC is a tenant's network.
type PlannedVPC struct {
	Name string       `json:"name"`
	VNI  uint32       `json:"vni"`
	CIDR netip.Prefix `json:"cidr"`
}

// PlannedVIP is an address that the edge spreads over the L4 nodes.
type PlannedVIP struct {
	Name    string     `json:"name"`
	Kind    string     `json:"kind"` // "eip" or "vip"
	Path    string     `json:"path"` // "vpc", "idc" or "admin"
	Region  string     `json:"region"`
	Address netip.Addr `json:"address"`
}
