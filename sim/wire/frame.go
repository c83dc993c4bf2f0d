package wire

import (
	"encoding/binary"
)

// Sizes and offsets of headers, in bytes.
const (
	offloadHeader  = 10 // struct virtio_net_hdr, in front of every frame
	ethernetHeader = 14
	minIPv4Header  = 20
	minTCPHeader   = 20
	udpHeader      = 8
	icmpHeader     = 8
	vxlanHeader    = 8
)

const (
	etherIPv4 = 0x0800
	protoICMP = 1
	protoTCP  = 6
	protoUDP  = 17
	vxlanPort = 4789
	l4Port    = 4790 // VXLAN from L4 to its members (docs/wire.md)
)

// Fields of the offload header (linux/virtio_net.h), in the byte order of the
// machine.
const (
	needsCsum = 1 // flag: the checksum holds the sum of the pseudo header only
	gsoNone   = 0
)

func offloadFlags(b []byte) byte   { return b[0] }
func gsoType(b []byte) byte        { return b[1] }
func gsoSize(b []byte) int         { return int(binary.NativeEndian.Uint16(b[4:])) }
func csumStart(b []byte) int       { return int(binary.NativeEndian.Uint16(b[6:])) }
func csumOffset(b []byte) int      { return int(binary.NativeEndian.Uint16(b[8:])) }
func plainOffload(b []byte)        { clear(b[:offloadHeader]) }
func ethernet(b []byte) []byte     { return b[offloadHeader:] }
func be16(b []byte, at int) uint16 { return binary.BigEndian.Uint16(b[at:]) }

// flow is what tells one flow from another.
type flow struct {
	proto        byte
	src, dst     [4]byte
	sport, dport uint16
}

// packet is what a wire reads of an IPv4 packet; all of it aliases the frame.
type packet struct {
	flow
	ip      []byte // header and all, without padding
	l4      int    // where in ip the header behind IP's begins
	payload int    // where in ip the payload of TCP, UDP or ICMP begins
	first   bool   // no later fragment: it has the ports
	longest int    // bytes of the longest packet that this one is cut into
}

// parseFrame reads a frame with its offload header. It is false for what is no
// whole IPv4 packet.
func parseFrame(b []byte) (packet, bool) {
	if len(b) < offloadHeader+ethernetHeader {
		return packet{}, false
	}
	p, ok := parseEthernet(ethernet(b))
	if ok && gsoType(b) != gsoNone && p.payload+gsoSize(b) < len(p.ip) {
		p.longest = p.payload + gsoSize(b)
	}
	return p, ok
}

func parseEthernet(eth []byte) (packet, bool) {
	if len(eth) < ethernetHeader+minIPv4Header || be16(eth, 12) != etherIPv4 {
		return packet{}, false
	}
	ip := eth[ethernetHeader:]
	header, total := int(ip[0]&0xf)*4, int(be16(ip, 2))
	if ip[0]>>4 != 4 || header < minIPv4Header || total < header || total > len(ip) {
		return packet{}, false
	}
	p := packet{ip: ip[:total], l4: header, payload: header, longest: total}
	p.proto, p.src, p.dst = ip[9], [4]byte(ip[12:]), [4]byte(ip[16:])
	p.first = be16(ip, 6)&0x1fff == 0
	if p.first {
		p.parseL4()
	}
	return p, true
}

// parseL4 finds ports and payload; a packet that is too short for its protocol has
// neither.
func (p *packet) parseL4() {
	l4 := p.ip[p.l4:]
	size := 0
	switch {
	case p.proto == protoTCP && len(l4) >= minTCPHeader:
		size = int(l4[12]>>4) * 4
	case p.proto == protoUDP && len(l4) >= udpHeader:
		size = udpHeader
	case p.proto == protoICMP && len(l4) >= icmpHeader:
		size = icmpHeader
	}
	if size == 0 || size > len(l4) {
		p.first = false
		return
	}
	p.payload = p.l4 + size
	if p.proto != protoICMP {
		p.sport, p.dport = be16(l4, 0), be16(l4, 2)
	}
}

// inner is the IPv4 packet in a VXLAN tunnel.
func (p *packet) inner() (packet, bool) {
	if p.proto != protoUDP || !p.first || p.dport != vxlanPort && p.dport != l4Port || len(p.ip) < p.payload+vxlanHeader {
		return packet{}, false
	}
	return parseEthernet(p.ip[p.payload+vxlanHeader:])
}
