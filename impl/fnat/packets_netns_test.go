//go:build netns

package fnat

import (
	"encoding/binary"
	"net"
	"net/netip"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/impl/vpc"
)

// checksum is the one's complement sum of b on top of s.
func checksum(b []byte, s uint32) uint16 {
	for i := 0; i+1 < len(b); i += 2 {
		s += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	if len(b)%2 == 1 {
		s += uint32(b[len(b)-1]) << 8
	}
	for s>>16 != 0 {
		s = s&0xffff + s>>16
	}
	return uint16(s)
}

// ipv4 builds a packet. For UDP and TCP the transport checksum is filled in at
// its place; flags are the 16 bits with the fragment offset.
func ipv4(proto byte, src, dst netip.Addr, flags uint16, body []byte) []byte {
	p := append(make([]byte, 20), body...)
	p[0], p[8], p[9] = 0x45, 64, proto
	binary.BigEndian.PutUint16(p[2:], uint16(len(p)))
	binary.BigEndian.PutUint16(p[6:], flags)
	copy(p[12:], src.AsSlice())
	copy(p[16:], dst.AsSlice())
	binary.BigEndian.PutUint16(p[10:], ^checksum(p[:20], 0))
	at := map[byte]int{unix.IPPROTO_UDP: 6, unix.IPPROTO_TCP: 16}[proto]
	if at != 0 && flags&0x1fff == 0 && len(body) >= at+2 {
		pseudo := uint32(checksum(p[12:20], 0)) + uint32(proto) + uint32(len(body))
		binary.BigEndian.PutUint16(p[20+at:], ^checksum(p[20:], pseudo))
	}
	return p
}

func udpBody(src, dst uint16, payload string) []byte {
	b := append(make([]byte, 8), payload...)
	binary.BigEndian.PutUint16(b, src)
	binary.BigEndian.PutUint16(b[2:], dst)
	binary.BigEndian.PutUint16(b[4:], uint16(len(b)))
	return b
}

func tcpBody(src, dst uint16, payload string) []byte {
	b := append(make([]byte, 20), payload...)
	binary.BigEndian.PutUint16(b, src)
	binary.BigEndian.PutUint16(b[2:], dst)
	b[12] = 5 << 4
	return b
}

// icmpError builds an ICMP message about a packet.
func icmpError(kind, code byte, rest uint32, cause []byte) []byte {
	b := append(make([]byte, 8), cause...)
	b[0], b[1] = kind, code
	binary.BigEndian.PutUint32(b[4:], rest)
	binary.BigEndian.PutUint16(b[2:], ^checksum(b, 0))
	return b
}

// frame puts an Ethernet header before a packet.
func frame(dst, src vpc.MAC, ethertype uint16, packet []byte) []byte {
	f := append(make([]byte, 14), packet...)
	copy(f, dst[:])
	copy(f[6:], src[:])
	binary.BigEndian.PutUint16(f[12:], ethertype)
	return f
}

// sendVXLAN sends a frame in a tunnel that the node makes up itself: whoever
// reaches the underlay can do this with an ordinary socket.
func (n *testNode) sendVXLAN(to netip.Addr, vni uint32, inner []byte) {
	n.t.Helper()
	var c *net.UDPConn
	n.in(func() (err error) {
		c, err = net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(to, 4789)))
		return err
	})
	defer c.Close()
	head := make([]byte, 8)
	head[0] = 8
	binary.BigEndian.PutUint32(head[4:], vni<<8)
	if _, err := c.Write(append(head, inner...)); err != nil {
		n.t.Fatal(err)
	}
}
