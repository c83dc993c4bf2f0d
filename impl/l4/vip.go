package l4

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"strings"
)

// VIPPrefix is where VIPs stand in etcd; the address follows.
const VIPPrefix = "/unilb/l4/vips/"

const (
	// maxVIPBytes bounds the value of one VIP in etcd.
	maxVIPBytes = 16 << 10
	// maxPorts bounds the ports of one VIP.
	maxPorts = 128
	// maxVIPs and maxServices are the sizes of the maps in the kernel.
	maxVIPs     = 4096
	maxServices = 16384
)

// A Pool is a set of members behind VIPs, numbered as in the eBPF maps. The zero
// value is no pool.
type Pool uint32

// The pools. A member belongs to the pool that has the name of its kind.
const (
	PoolGateway Pool = 1 // l7gw
	PoolAdmin   Pool = 2 // l7admin
)

var poolNames = map[Pool]string{PoolGateway: "l7gw", PoolAdmin: "l7admin"}

// pools in the order of the status page.
var pools = []Pool{PoolGateway, PoolAdmin}

func (p Pool) String() string { return poolNames[p] }

// ParsePool returns the pool of a name, or of the kind of a registration.
func ParsePool(name string) (Pool, bool) {
	for _, p := range pools {
		if p.String() == name {
			return p, true
		}
	}
	return 0, false
}

// A Proto is an IP protocol with ports.
type Proto uint8

// The protocols of services.
const (
	TCP Proto = 6
	UDP Proto = 17
)

func (p Proto) String() string {
	if p == UDP {
		return "udp"
	}
	return "tcp"
}

// A Port is one service of a VIP.
type Port struct {
	Port  uint16
	Proto Proto
}

// A VIP is an address that clients know, the ports served on it, and the pool
// that serves them.
type VIP struct {
	Addr  netip.Addr
	Pool  Pool
	Ports []Port
}

// ParseVIP decodes the value of a VIP. key is its whole key in etcd, which must
// end with the address. Unknown fields are ignored.
func ParseVIP(key string, value []byte) (VIP, error) {
	var w struct {
		Address string `json:"address"`
		Pool    string `json:"pool"`
		Ports   []struct {
			Port     int    `json:"port"`
			Protocol string `json:"protocol"`
		} `json:"ports"`
	}
	if len(value) > maxVIPBytes {
		return VIP{}, fmt.Errorf("value has %d bytes, want at most %d", len(value), maxVIPBytes)
	}
	dec := json.NewDecoder(bytes.NewReader(value))
	if err := dec.Decode(&w); err != nil {
		return VIP{}, fmt.Errorf("decode: %w", err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return VIP{}, fmt.Errorf("decode: more than one value")
	}
	v := VIP{Ports: make([]Port, 0, min(len(w.Ports), maxPorts))}
	var err error
	if v.Addr, err = netip.ParseAddr(w.Address); err != nil {
		return VIP{}, fmt.Errorf("address: %w", err)
	}
	if v.Addr.String() != strings.TrimPrefix(key, VIPPrefix) {
		return VIP{}, fmt.Errorf("address %q does not match the key", w.Address)
	}
	if err := usableVIP(v.Addr); err != nil {
		return VIP{}, err
	}
	var ok bool
	if v.Pool, ok = ParsePool(w.Pool); !ok {
		return VIP{}, fmt.Errorf("pool %q: want l7gw or l7admin", w.Pool)
	}
	if len(w.Ports) > maxPorts {
		return VIP{}, fmt.Errorf("%d ports, want at most %d", len(w.Ports), maxPorts)
	}
	seen := make(map[Port]bool, len(w.Ports))
	for _, p := range w.Ports {
		port := Port{Proto: TCP}
		switch p.Protocol {
		case "tcp":
		case "udp":
			port.Proto = UDP
		default:
			return VIP{}, fmt.Errorf("protocol %q: want tcp or udp", p.Protocol)
		}
		if p.Port < 1 || p.Port > 65535 {
			return VIP{}, fmt.Errorf("port %d: want 1 to 65535", p.Port)
		}
		if port.Port = uint16(p.Port); !seen[port] {
			seen[port] = true
			v.Ports = append(v.Ports, port)
		}
	}
	return v, nil
}

// usableVIP refuses addresses that nobody can reach through a router, and those
// that the node needs for itself.
func usableVIP(a netip.Addr) error {
	switch {
	case !a.Is4():
		return fmt.Errorf("address %s: only IPv4 is forwarded", a)
	case a.IsUnspecified(), a.IsLoopback(), a.IsMulticast(), a.IsLinkLocalUnicast(), a == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return fmt.Errorf("address %s cannot be a VIP", a)
	case MemberRange.Contains(a):
		return fmt.Errorf("address %s is of the range of member addresses %s", a, MemberRange)
	}
	return nil
}
