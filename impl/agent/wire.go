package agent

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/unilb/unilb/impl/node"
	"github.com/unilb/unilb/impl/store"
	"github.com/unilb/unilb/impl/vpc"
)

// Directories that agents follow, and kinds of nodes, as in docs/wire.md.
const (
	vpcPrefix  = vpc.Prefix
	l4Prefix   = "/unilb/l4"
	vipsPrefix = l4Prefix + "/vips/"

	kindAgent = "lbc-agent"
	kindHost  = "host"
	kindL4    = "l4lb"
)

// Devices and ports of a node. L4's MAC is the one to which l4lb addresses the
// inner frame of every packet it sends.
const (
	fnatDevice   = "fnat0"
	vswitchName  = "vsw0"
	l4Device     = "l4tun0"
	fnatPort     = 4789 // UDP
	l4Port       = 4790 // UDP
	tunnelMTU    = 1550 // bytes
	tunnelHeader = 50   // bytes that VXLAN over IPv4 adds, with the inner Ethernet header
)

var (
	memberPrefix = vpc.MemberPrefix
	uniquePrefix = netip.MustParsePrefix("100.64.0.0/10")
	l4MAC        = []byte{0x02, 0, 0, 0, 0x40, 0}
	// neverVIPs hold no VIP: no host, unique IPs and members, loopback, link-local,
	// multicast, and what is reserved with the broadcast address.
	neverVIPs = []netip.Prefix{
		netip.MustParsePrefix("0.0.0.0/8"), uniquePrefix, netip.MustParsePrefix("127.0.0.0/8"),
		netip.MustParsePrefix("169.254.0.0/16"), netip.MustParsePrefix("224.0.0.0/4"), netip.MustParsePrefix("240.0.0.0/4"),
	}
)

// A vip is an address that L4 spreads over the members of a pool.
type vip struct {
	Address netip.Addr `json:"address"`
	Pool    string     `json:"pool"`
}

func (v vip) Key() string { return vipsPrefix + v.Address.String() }

func parseVIP(b []byte) (vip, error) {
	var v vip
	if err := json.Unmarshal(b, &v); err != nil {
		return v, fmt.Errorf("decode VIP: %w", err)
	}
	if !v.Address.Is4() {
		return v, fmt.Errorf("address: %s is not the IPv4 address of a VIP", v.Address)
	}
	for _, n := range neverVIPs {
		if n.Contains(v.Address) {
			return v, fmt.Errorf("address: %s lies in %s, which holds no VIP", v.Address, n)
		}
	}
	if v.Pool == "" {
		return v, fmt.Errorf("pool: missing")
	}
	return v, nil
}

// parseNode reads a registration and checks its key.
func parseNode(kv store.KV) (node.Registration, error) {
	r, err := node.ParseRegistration(kv.Value)
	if err != nil {
		return r, err
	}
	if want := node.RegistryKey(r.Kind, r.Name); want != kv.Key {
		return r, fmt.Errorf("the registration belongs at %s", want)
	}
	return r, nil
}

// under returns a test for keys below a prefix.
func under(prefix string) func(string) bool {
	return func(key string) bool { return strings.HasPrefix(key, prefix) }
}

// isGateway reports whether a registration is that of a gateway's agent: of the
// agents beside servers, only those of gateways follow VPCs. It is the agent,
// not the gateway process, that owns the gateway's end of the tunnel.
func isGateway(r node.Registration) bool {
	return r.Kind == kindAgent && slices.Contains(r.Watches, vpcPrefix) && r.Underlay.Is4() && memberPrefix.Contains(r.Member)
}
