package topology

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
)

// The address plan. Region r and AZ a count from 1 in the order of the file.
//
//	10.(100+r).0.0/16         everything of region r
//	10.(100+r).(4a).0/22      links of the servers of AZ a: one /24 each for
//	                          gateways, hosts, control plane, etcd
//	10.(100+r).252.0/22       links of the edge: 252 to AZ routers, 253 to L4
//	                          nodes, 254 between AZ routers, 255.1 the admin VIP
//	100.127.r.0/24            member addresses: gateways from 1, l7admin from 240
//	198.18.(32(r-1)).0/19     links of the clients to the edge of region r
//
// A link is a /31: the even address is the router's, the odd one the server's.
// Within its /24 the server called "x-3" has link 3 (from 1), so an address says
// what it belongs to, and changing one count moves no other address.
const (
	maxRegions = 8
	maxAZs     = 16
)

// v4 makes an address of 32 bits.
func v4(n uint32) netip.Addr {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], n)
	return netip.AddrFrom4(b)
}

func v4num(a netip.Addr) uint32 {
	b := a.As4()
	return binary.BigEndian.Uint32(b[:])
}

// regionNet is the underlay of region r.
func regionNet(r int) netip.Prefix {
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(100 + r), 0, 0}), 16)
}

// azNet is the underlay of AZ a.
func azNet(r, a int) netip.Prefix {
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(100 + r), byte(4 * a), 0}), 22)
}

// The /24s of an AZ.
const (
	slotL7 = iota
	slotHost
	slotControl // l7admin from 1, lbc-api from 65
	slotEtcd
)

// A pair of addresses of one /31: the router's (even) and the server's (odd).
type pair struct{ router, server netip.Prefix }

func pairAt(base netip.Addr, n int) pair {
	first := v4num(base) + uint32(2*n)
	return pair{netip.PrefixFrom(v4(first), 31), netip.PrefixFrom(v4(first+1), 31)}
}

// serverPair is link n of a slot of an AZ.
func serverPair(r, a, slot, n int) pair {
	return pairAt(netip.AddrFrom4([4]byte{10, byte(100 + r), byte(4*a + slot), 0}), n)
}

func edgeBlock(r, block int) netip.Addr {
	return netip.AddrFrom4([4]byte{10, byte(100 + r), byte(252 + block), 0})
}

// routerPair joins the router of AZ a to the edge.
func routerPair(r, a int) pair { return pairAt(edgeBlock(r, 0), a) }

// l4Pair joins L4 node n of AZ a to the edge; 8 of them a AZ fill the block.
func l4Pair(r, a, n int) pair { return pairAt(edgeBlock(r, 1), 8*(a-1)+n-1) }

// interPair joins the routers of AZs a < b; 16 AZs make 120 pairs.
func interPair(r, a, b int) pair { return pairAt(edgeBlock(r, 2), (b-1)*(b-2)/2+a-1) }

// adminVIP is where L4 offers a region's l7admin.
func adminVIP(r int) netip.Addr { return edgeBlock(r, 3).Next() }

// memberAddr is member address n of region r.
func memberAddr(r, n int) netip.Addr { return netip.AddrFrom4([4]byte{100, 127, byte(r), byte(n)}) }

// firstAdminMember keeps l7admin apart from gateways, so that one more gateway
// moves nothing.
const firstAdminMember = maxL7 + 1

// clientPair joins client n (from 1, over all groups) to the edge of region r.
func clientPair(r, n int) pair { return pairAt(v4(v4num(clientPool.Addr())+uint32(r-1)<<13), n) }

// idcPair joins server n (from 1) of a pool to its router.
func idcPair(pool netip.Prefix, n int) pair { return pairAt(pool.Addr(), n-1) }

// lastOf is the last address of a network.
func lastOf(n netip.Prefix) netip.Addr {
	return v4(v4num(n.Addr()) | ^uint32(0)>>n.Bits())
}

// guestMAC follows from the seed, the VNI and the address. It is locally
// administered and never begins with 02:00, where the well-known MACs of tunnels
// and vswitches are.
func guestMAC(seed uint64, vni uint32, ip netip.Addr) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "guest %d %d %s", seed, vni, ip))
	mac := net.HardwareAddr{0x02, sum[0] | 0x01, sum[1], sum[2], sum[3], sum[4]}
	return mac.String()
}

// host is the network of one address.
func host(a netip.Addr) netip.Prefix { return netip.PrefixFrom(a, a.BitLen()) }

// everywhere is the destination of a default route.
var everywhere = netip.MustParsePrefix("0.0.0.0/0")
