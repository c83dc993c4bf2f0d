package wire

import (
	"encoding/binary"
	"slices"
)

// damage returns the frame with one bit flipped behind the Ethernet header, in a
// place that a receiver notices. The frame itself is left alone.
//
// A checksum that was left to a later device is made first: otherwise that device
// would make it over the damaged bytes, and nobody would notice. For the same
// reason a segment that crosses uncut is cut here, and one of its packets damaged:
// a router that cut it further on would make new checksums.
func damage(b []byte, bit uint64) [][]byte {
	frames := [][]byte{slices.Clone(b)}
	if gsoType(b) != gsoNone {
		if cut, ok := segment(b); ok {
			frames = cut
		}
	}
	hit := frames[bit%uint64(len(frames))]
	completeChecksum(hit)
	p, ok := parseFrame(hit)
	if !ok {
		return frames
	}
	flip(p.damageable(), bit)
	return frames
}

// damageable is the part of a packet in which a flipped bit is noticed: the
// payload where there is one, since a header that is no longer true may send the
// packet elsewhere. In a tunnel, whose outer checksum is often absent, it is the
// payload of the inner packet: nothing guards the tunnel's own header, and a
// flipped network number would be a delivery to another tenant.
func (p *packet) damageable() []byte {
	if in, ok := p.inner(); ok {
		return in.damageable()
	}
	const ttl = 8 // offset in the IP header of the first byte that may be anything
	for _, from := range []int{p.payload, p.l4} {
		if from < len(p.ip) {
			return p.ip[from:]
		}
	}
	return p.ip[ttl:p.l4]
}

func flip(b []byte, bit uint64) {
	at := bit % uint64(8*len(b))
	b[at/8] ^= 1 << (at % 8)
}

// completeChecksum does what a device does for a frame that says so: the field
// holds the sum of the pseudo header, and the rest is added.
func completeChecksum(b []byte) {
	if offloadFlags(b)&needsCsum == 0 {
		return
	}
	start, field := csumStart(b), csumStart(b)+csumOffset(b)
	eth := ethernet(b)
	if field+2 > len(eth) {
		return // the kernel refuses it as well
	}
	sum := checksum(eth[start:], 0)
	if sum == 0 && csumOffset(b) == 6 {
		sum = 0xffff // UDP: 0 means that there is none
	}
	binary.BigEndian.PutUint16(eth[field:], sum)
	plainOffload(b)
}

// checksum is the Internet checksum (RFC 1071) of b on top of a sum.
func checksum(b []byte, sum uint32) uint16 {
	for ; len(b) >= 2; b = b[2:] {
		sum += uint32(b[0])<<8 | uint32(b[1])
	}
	if len(b) == 1 {
		sum += uint32(b[0]) << 8
	}
	for sum>>16 != 0 {
		sum = sum&0xffff + sum>>16
	}
	return ^uint16(sum)
}
