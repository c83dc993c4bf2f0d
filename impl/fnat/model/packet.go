package model

import (
	"encoding/binary"
	"net/netip"
)

// Offsets in frames and headers, in bytes, and protocols.
const (
	ethernetLen   = 14
	icmpLen       = 8
	checksumAt    = 10 // in an IPv4 header
	sourceAt      = 12
	destinationAt = 16

	protoICMP = 1
	protoTCP  = 6
	protoUDP  = 17
)

// A packet is a frame that holds an IPv4 header at offset ip.
type packet struct {
	frame []byte
	ip    int
}

// parse copies a frame. The verdict is Forward when it holds IPv4.
func parse(frame []byte) (packet, Verdict) {
	if len(frame) < ethernetLen {
		return packet{}, Error
	}
	if binary.BigEndian.Uint16(frame[12:]) != 0x0800 {
		return packet{}, NotIPv4
	}
	p := packet{frame: append([]byte(nil), frame...), ip: ethernetLen}
	if !p.valid() {
		return packet{}, Error
	}
	return p, Forward
}

func (p packet) valid() bool {
	b := p.frame[min(p.ip, len(p.frame)):]
	return len(b) >= 20 && b[0]>>4 == 4 && b[0]&15 >= 5
}

func (p packet) addr(at int) netip.Addr {
	return netip.AddrFrom4([4]byte(p.frame[p.ip+at : p.ip+at+4]))
}

func (p packet) src() netip.Addr { return p.addr(sourceAt) }
func (p packet) dst() netip.Addr { return p.addr(destinationAt) }
func (p packet) proto() byte     { return p.frame[p.ip+9] }
func (p packet) l4() int         { return p.ip + int(p.frame[p.ip]&15)*4 }

// first reports whether the transport header is here: no later fragment.
func (p packet) first() bool { return binary.BigEndian.Uint16(p.frame[p.ip+6:])&0x1fff == 0 }

// icmpType returns the type of an ICMP message, 0 (echo reply) for all else. A
// message cut off before its type counts as a redirect.
func (p packet) icmpType() byte {
	if p.proto() != protoICMP || !p.first() {
		return 0
	}
	if p.l4() >= len(p.frame) {
		return 5
	}
	return p.frame[p.l4()]
}

// isError reports whether the packet carries another that caused it.
func (p packet) isError() bool {
	t := p.icmpType()
	return t == 3 || t == 11 || t == 12
}

// forbidden reports whether the packet would steer somebody's routes.
func (p packet) forbidden() bool {
	t := p.icmpType()
	return t == 4 || t == 5
}

// cause returns the packet inside an ICMP error, sharing its bytes.
func (p packet) cause() (packet, bool) {
	c := packet{p.frame, p.l4() + icmpLen}
	return c, c.valid()
}

// set changes an address of the packet and the checksums that cover it. It
// reports false when the transport header is cut off before its checksum.
func (p packet) set(at int, a netip.Addr) bool {
	check := 0
	switch p.proto() {
	case protoTCP:
		check = p.l4() + 16
	case protoUDP:
		check = p.l4() + 6
	}
	if check == 0 || !p.first() {
		p.setHeader(at, a)
		return true
	}
	if check+2 > len(p.frame) {
		return false
	}
	if p.proto() == protoUDP && binary.BigEndian.Uint16(p.frame[check:]) == 0 {
		p.setHeader(at, a) // sent without a checksum
		return true
	}
	// The pseudo header has the addresses; what else is in it does not change.
	keep(p.frame[check:], func() uint16 {
		return sum(p.frame[p.l4():], uint32(sum(p.frame[p.ip+sourceAt:p.ip+20], 0)))
	}, func() { p.setHeader(at, a) })
	return true
}

// setCause changes an address of the packet inside this ICMP error.
func (p packet) setCause(cause packet, at int, a netip.Addr) {
	keep(p.frame[p.l4()+2:], func() uint16 { return sum(p.frame[p.l4():], 0) },
		func() { cause.setHeader(at, a) })
}

// setHeader changes an address and the header's checksum.
func (p packet) setHeader(at int, a netip.Addr) {
	h := p.frame[p.ip : p.ip+20] // options do not change
	keep(h[checksumAt:], func() uint16 { return sum(h, 0) }, func() { copy(h[at:], a.AsSlice()) })
}

// keep makes a change and then sets the checksum field so that the sum over all
// that it covers is what it was.
func keep(field []byte, total func() uint16, change func()) {
	before := total()
	change()
	binary.BigEndian.PutUint16(field, 0)
	binary.BigEndian.PutUint16(field, sum(nil, uint32(before)+uint32(^total())))
}

// sum is the one's complement sum of b, on top of s.
func sum(b []byte, s uint32) uint16 {
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
