package l4

import (
	"fmt"
	"net/netip"
	"net/url"
	"strconv"

	"github.com/unilb/unilb/impl/node"
)

// MemberRange holds all member addresses. The node routes it into its tunnel.
var MemberRange = netip.MustParsePrefix("100.127.0.0/16")

// maxNameBytes is the room for a name in the eBPF map, without the zero at its end.
const maxNameBytes = 95

// maxMembers is the size of the maps of members in the kernel.
const maxMembers = 4096

// A Member is a server of a pool as it registered itself.
type Member struct {
	Pool      Pool
	Name      string
	Addr      netip.Addr // member address: what the tunnel is probed with
	VTEP      netip.Addr // outer destination
	ProbePort uint16
	Leaving   bool // registered as draining
}

// key identifies a member in the kernel and in the prober.
type memberKey struct {
	pool Pool
	addr netip.Addr
}

func (m Member) key() memberKey { return memberKey{m.Pool, m.Addr} }

// ProbeURL is asked through the tunnel.
func (m Member) ProbeURL() string {
	return "http://" + netip.AddrPortFrom(m.Addr, m.ProbePort).String() + "/status/ready"
}

// MemberOf returns the member that a registration describes. It returns false
// without an error for kinds that are in no pool.
func MemberOf(r node.Registration) (Member, bool, error) {
	pool, ok := ParsePool(r.Kind)
	if !ok {
		return Member{}, false, nil
	}
	m := Member{Pool: pool, Name: r.Name, Addr: r.Member, VTEP: r.Underlay, Leaving: r.State == node.Draining}
	switch {
	case r.Name == "" || len(r.Name) > maxNameBytes:
		return Member{}, false, fmt.Errorf("name %q: want 1 to %d bytes", r.Name, maxNameBytes)
	case !MemberRange.Contains(r.Member):
		return Member{}, false, fmt.Errorf("member address %q: want one of %s", r.Member, MemberRange)
	case !r.Underlay.Is4() || r.Underlay.IsUnspecified() || r.Underlay.IsMulticast() || r.Underlay.IsLoopback():
		return Member{}, false, fmt.Errorf("underlay %q: want an IPv4 address of the underlay", r.Underlay)
	}
	u, err := url.Parse(r.Status)
	if err != nil {
		return Member{}, false, fmt.Errorf("status URL: %w", err)
	}
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	if u.Scheme != "http" || err != nil || port == 0 {
		return Member{}, false, fmt.Errorf("status URL %q: want http://address:port", r.Status)
	}
	m.ProbePort = uint16(port)
	return m, true, nil
}
