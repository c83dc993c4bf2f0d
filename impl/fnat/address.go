package fnat

import (
	"encoding/binary"
	"net/netip"
)

// wire is an IPv4 address as the programs compare it: its four bytes in network
// order, read as one word of this machine. Anything else becomes 0.0.0.0, which
// matches no packet.
func wire(a netip.Addr) uint32 {
	if !a.Is4() {
		return 0
	}
	b := a.As4()
	return binary.NativeEndian.Uint32(b[:])
}

// unwire is the inverse of wire.
func unwire(v uint32) netip.Addr {
	var b [4]byte
	binary.NativeEndian.PutUint32(b[:], v)
	return netip.AddrFrom4(b)
}

// hostOrder is an IPv4 address as tunnel keys have it; 0 for anything else.
func hostOrder(a netip.Addr) uint32 {
	if !a.Is4() {
		return 0
	}
	b := a.As4()
	return binary.BigEndian.Uint32(b[:])
}
