package wire

import (
	"encoding/binary"
)

// Flags of a TCP header that do not belong on every packet of a segment.
const (
	tcpFlags = 13 // offset
	tcpFIN   = 1 << 0
	tcpPSH   = 1 << 3
	tcpCWR   = 1 << 7
)

// segment cuts a TCP segment that crosses whole into the packets that a device
// would make of it, with complete checksums and no offload left. It is false for
// what is no such segment.
func segment(b []byte) ([][]byte, bool) {
	p, ok := parseFrame(b)
	size := gsoSize(b)
	if !ok || p.proto != protoTCP || !p.first || size == 0 {
		return nil, false
	}
	headers, payload := b[:offloadHeader+ethernetHeader+p.payload], p.ip[p.payload:]
	var out [][]byte
	for at := 0; at < len(payload); at += size {
		end := min(at+size, len(payload))
		out = append(out, tcpPacket(headers, p.l4, payload[at:end], len(out), at, end == len(payload)))
	}
	return out, len(out) > 0
}

// tcpPacket is packet number i of a segment; its payload begins at byte `at` of the
// segment's.
func tcpPacket(headers []byte, l4 int, payload []byte, i, at int, last bool) []byte {
	f := append(append(make([]byte, 0, len(headers)+len(payload)), headers...), payload...)
	plainOffload(f)
	ip := ethernet(f)[ethernetHeader:]
	binary.BigEndian.PutUint16(ip[2:], uint16(len(ip)))
	binary.BigEndian.PutUint16(ip[4:], be16(ip, 4)+uint16(i))
	binary.BigEndian.PutUint16(ip[10:], 0)
	binary.BigEndian.PutUint16(ip[10:], checksum(ip[:l4], 0))

	tcp := ip[l4:]
	binary.BigEndian.PutUint32(tcp[4:], binary.BigEndian.Uint32(tcp[4:])+uint32(at))
	if i > 0 {
		tcp[tcpFlags] &^= tcpCWR
	}
	if !last {
		tcp[tcpFlags] &^= tcpFIN | tcpPSH
	}
	binary.BigEndian.PutUint16(tcp[16:], 0)
	binary.BigEndian.PutUint16(tcp[16:], checksum(tcp, pseudoHeader(ip, len(tcp))))
	return f
}

// pseudoHeader is the sum of what TCP and UDP checksums cover beside themselves.
func pseudoHeader(ip []byte, l4Bytes int) uint32 {
	sum := uint32(ip[9]) + uint32(l4Bytes)
	for at := 12; at < 20; at += 2 {
		sum += uint32(be16(ip, at))
	}
	return sum
}
