package vpc

import (
	"fmt"
	"net/netip"
)

// MemberPrefix holds the addresses by which L4 reaches the servers behind it and
// from which gateways speak to guests. No unique IP lies in it.
var MemberPrefix = netip.MustParsePrefix("100.127.0.0/16")

// A Pool is the range unique IPs come from: a network less MemberPrefix, less
// its first and its last address. The zero Pool is empty.
type Pool struct{ prefix netip.Prefix }

// NewPool returns the pool of an IPv4 network.
func NewPool(prefix netip.Prefix) (Pool, error) {
	if !prefix.IsValid() || !prefix.Addr().Is4() || prefix.Bits() > 30 {
		return Pool{}, fmt.Errorf("unique IP pool %s: want an IPv4 network of at least 4 addresses", prefix)
	}
	if prefix.Masked() != prefix {
		return Pool{}, fmt.Errorf("unique IP pool %s: host bits set; the network is %s", prefix, prefix.Masked())
	}
	if MemberPrefix.Overlaps(prefix) && prefix.Bits() >= MemberPrefix.Bits() {
		return Pool{}, fmt.Errorf("unique IP pool %s: lies inside the member addresses %s", prefix, MemberPrefix)
	}
	return Pool{prefix: prefix}, nil
}

// Prefix returns the network of the pool.
func (p Pool) Prefix() netip.Prefix { return p.prefix }

// Contains reports whether a may be given to a guest.
func (p Pool) Contains(a netip.Addr) bool {
	return p.prefix.IsValid() && p.prefix.Contains(a) && !MemberPrefix.Contains(a) &&
		a != p.prefix.Addr() && a != last(p.prefix)
}

// Reserved reports whether a lies where no network of the region may be: in the
// pool's network or among the member addresses.
func (p Pool) Reserved(a netip.Addr) bool {
	return MemberPrefix.Contains(a) || p.prefix.IsValid() && p.prefix.Contains(a)
}

// Overlaps reports whether a network has reserved addresses.
func (p Pool) Overlaps(n netip.Prefix) bool {
	return MemberPrefix.Overlaps(n) || p.prefix.IsValid() && p.prefix.Overlaps(n)
}

// after returns the first address of the pool behind a; ok is false when there
// is none.
func (p Pool) after(a netip.Addr) (next netip.Addr, ok bool) {
	next = a.Next()
	if MemberPrefix.Contains(next) {
		next = last(MemberPrefix).Next()
	}
	return next, p.Contains(next)
}

func last(p netip.Prefix) netip.Addr {
	b := p.Masked().Addr().As4()
	for i := p.Bits(); i < 32; i++ {
		b[i/8] |= 1 << (7 - i%8)
	}
	return netip.AddrFrom4(b)
}
