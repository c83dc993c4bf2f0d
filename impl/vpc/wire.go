package vpc

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// Where the objects of this package are in etcd. The part of a key behind the
// prefix is the object's identity.
const (
	Prefix         = "/unilb/vpc"           // what an agent watches
	NetworkPrefix  = "/unilb/vpc/networks/" // + name of the VPC
	PortPrefix     = "/unilb/vpc/ports/"    // + VNI, "/", address of the guest
	MappingPrefix  = "/unilb/vpc/mappings/" // + unique IP
	MaxVNI         = 1<<24 - 1              // a VNI has 24 bits; 0 is not given to a VPC
	maxIfname      = 15                     // bytes, IFNAMSIZ less its terminating zero
	maxNameLength  = 64                     // bytes, names of VPCs
	maxHostNameLen = 128                    // bytes, names of nodes
)

// A Network is a tenant's VPC: VNI and addresses. CIDRs of different VPCs may
// overlap, VNIs may not.
type Network struct {
	Name string       `json:"name"`
	VNI  uint32       `json:"vni"`
	CIDR netip.Prefix `json:"cidr"`
}

// A Port is a guest's interface: where in which VPC it is, and on which
// hypervisor host. The compute platform registers it.
type Port struct {
	VNI    uint32     `json:"vni"`
	IP     netip.Addr `json:"ip"`
	MAC    MAC        `json:"mac"`
	Host   string     `json:"host"` // name of the host's node
	VTEP   netip.Addr `json:"vtep"` // underlay address of the host
	Ifname string     `json:"ifname"`
}

// A Mapping says which guest a unique IP means and how to reach it. FNAT
// translates by it in both directions, so at any time a unique IP has at most
// one guest and a guest at most one unique IP.
type Mapping struct {
	UniqueIP   netip.Addr `json:"unique_ip"`
	VPC        string     `json:"vpc"`
	VNI        uint32     `json:"vni"`
	VPCIP      netip.Addr `json:"vpc_ip"`
	MAC        MAC        `json:"mac"`
	VTEP       netip.Addr `json:"vtep"`
	Generation uint64     `json:"generation"` // grows each time UniqueIP is given to a new owner
}

// NetworkKey returns the etcd key of the VPC called name.
func NetworkKey(name string) string { return NetworkPrefix + name }

// PortKey returns the etcd key of the guest with address ip in the VPC vni.
func PortKey(vni uint32, ip netip.Addr) string {
	return PortPrefix + strconv.FormatUint(uint64(vni), 10) + "/" + ip.String()
}

// MappingKey returns the etcd key of the mapping of a unique IP.
func MappingKey(unique netip.Addr) string { return MappingPrefix + unique.String() }

// Key returns the etcd key of the network.
func (n Network) Key() string { return NetworkKey(n.Name) }

// Key returns the etcd key of the port.
func (p Port) Key() string { return PortKey(p.VNI, p.IP) }

// Key returns the etcd key of the mapping.
func (m Mapping) Key() string { return MappingKey(m.UniqueIP) }

// ParseNetwork decodes a network read from etcd. Unknown fields are ignored.
func ParseNetwork(b []byte) (Network, error) {
	var n Network
	if err := json.Unmarshal(b, &n); err != nil {
		return Network{}, fmt.Errorf("decode network: %w", err)
	}
	return n, n.Validate()
}

// ParsePort decodes a port read from etcd. Unknown fields are ignored.
func ParsePort(b []byte) (Port, error) {
	var p Port
	if err := json.Unmarshal(b, &p); err != nil {
		return Port{}, fmt.Errorf("decode port: %w", err)
	}
	return p, p.Validate()
}

// ParseMapping decodes a mapping read from etcd. Unknown fields are ignored.
func ParseMapping(b []byte) (Mapping, error) {
	var m Mapping
	if err := json.Unmarshal(b, &m); err != nil {
		return Mapping{}, fmt.Errorf("decode mapping: %w", err)
	}
	return m, m.Validate()
}

// Validate reports the first field that cannot be right.
func (n Network) Validate() error {
	switch {
	case n.Name == "" || len(n.Name) > maxNameLength || strings.Contains(n.Name, "/"):
		return fieldError("name", "%q is not the name of a VPC", n.Name)
	case !validVNI(n.VNI):
		return fieldError("vni", "%d is not between 1 and %d", n.VNI, MaxVNI)
	case !n.CIDR.IsValid() || !n.CIDR.Addr().Is4():
		return fieldError("cidr", "want an IPv4 network such as 192.168.0.0/24")
	case n.CIDR.Masked() != n.CIDR:
		return fieldError("cidr", "%s has host bits set; the network is %s", n.CIDR, n.CIDR.Masked())
	case n.CIDR.Bits() < 8 || n.CIDR.Bits() > 29:
		return fieldError("cidr", "%s: the prefix length must be between 8 and 29", n.CIDR)
	}
	return nil
}

// Validate reports the first field that cannot be right.
func (p Port) Validate() error {
	switch {
	case !validVNI(p.VNI):
		return fieldError("vni", "%d is not between 1 and %d", p.VNI, MaxVNI)
	case !validGuest(p.IP):
		return fieldError("ip", "%s is not the IPv4 address of a guest", p.IP)
	case p.MAC.IsZero() || p.MAC.IsGroup():
		return fieldError("mac", "%s is not the MAC address of a guest", p.MAC)
	case p.Host == "" || len(p.Host) > maxHostNameLen:
		return fieldError("host", "%q is not the name of a host", p.Host)
	case !validGuest(p.VTEP):
		return fieldError("vtep", "%s is not the IPv4 address of a host", p.VTEP)
	case p.Ifname == "" || len(p.Ifname) > maxIfname || strings.ContainsAny(p.Ifname, "/ \t\n"):
		return fieldError("ifname", "%q is not the name of an interface (1 to %d bytes)", p.Ifname, maxIfname)
	}
	return nil
}

// Validate reports the first field that cannot be right.
func (m Mapping) Validate() error {
	switch {
	case !validGuest(m.UniqueIP):
		return fieldError("unique_ip", "%s is not an IPv4 address", m.UniqueIP)
	case !validVNI(m.VNI):
		return fieldError("vni", "%d is not between 1 and %d", m.VNI, MaxVNI)
	case !validGuest(m.VPCIP):
		return fieldError("vpc_ip", "%s is not the IPv4 address of a guest", m.VPCIP)
	case m.MAC.IsZero() || m.MAC.IsGroup():
		return fieldError("mac", "%s is not the MAC address of a guest", m.MAC)
	case !validGuest(m.VTEP):
		return fieldError("vtep", "%s is not the IPv4 address of a host", m.VTEP)
	case m.Generation == 0:
		return fieldError("generation", "generations start at 1")
	}
	return nil
}

// A FieldError says which field of an object is wrong and why.
type FieldError struct {
	Field  string // JSON name
	Reason string
}

func (e *FieldError) Error() string { return e.Field + ": " + e.Reason }

func fieldError(field, format string, args ...any) error {
	return &FieldError{Field: field, Reason: fmt.Sprintf(format, args...)}
}

func validVNI(v uint32) bool { return v > 0 && v <= MaxVNI }

func validGuest(a netip.Addr) bool {
	return a.Is4() && !a.IsUnspecified() && !a.IsMulticast() && !a.IsLoopback() && a != netip.AddrFrom4([4]byte{255, 255, 255, 255})
}
