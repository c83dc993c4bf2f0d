// Package model owns what FNAT is meant to do, written plainly: which packet is
// dropped and why, and how a packet that is not dropped looks afterwards. It is
// the oracle for the eBPF programs, and shares no code with them. Checksums are
// summed over all that is there, before and after; a packet whose checksum was
// wrong stays exactly as wrong.
//
// It never touches the kernel. A Gateway is safe for concurrent use once made.
package model

import (
	"net/netip"

	"github.com/unilb/unilb/impl/vpc"
)

// A Verdict says what becomes of a packet. The zero value is Error: dropped.
type Verdict string

// The verdicts, named as the counters are.
const (
	Error            Verdict = ""
	Forward          Verdict = "packets"
	Miss             Verdict = "miss"
	UnknownSource    Verdict = "unknown_source"
	WrongVTEP        Verdict = "wrong_vtep"
	WrongDestination Verdict = "wrong_destination"
	NotIPv4          Verdict = "not_ipv4"
)

// A Tunnel is what the outer header says.
type Tunnel struct {
	VNI  uint32
	VTEP netip.Addr // outer destination going out, outer source coming in
}

// A Gateway is the translation of one gateway.
type Gateway struct {
	member netip.Addr
	unique map[netip.Addr]vpc.Mapping
	guests map[guest]vpc.Mapping
}

type guest struct {
	vni uint32
	ip  netip.Addr
}

// New returns the translation of a gateway with a member address and mappings.
func New(member netip.Addr, mappings []vpc.Mapping) *Gateway {
	g := &Gateway{member: member, unique: make(map[netip.Addr]vpc.Mapping), guests: make(map[guest]vpc.Mapping)}
	for _, m := range mappings {
		g.unique[m.UniqueIP] = m
		g.guests[guest{m.VNI, m.VPCIP}] = m
	}
	return g
}

// Egress translates an Ethernet frame on its way to a guest.
func (g *Gateway) Egress(frame []byte) ([]byte, Tunnel, Verdict) {
	p, verdict := parse(frame)
	if verdict != Forward {
		return nil, Tunnel{}, verdict
	}
	m, ok := g.unique[p.dst()]
	if !ok {
		return nil, Tunnel{}, Miss
	}
	if p.forbidden() {
		return nil, Tunnel{}, Error
	}
	if p.isError() {
		cause, ok := p.cause()
		if !ok || cause.src() != m.UniqueIP {
			return nil, Tunnel{}, Error
		}
		p.setCause(cause, sourceAt, m.VPCIP)
	}
	if !p.set(destinationAt, m.VPCIP) {
		return nil, Tunnel{}, Error
	}
	copy(p.frame[0:6], m.MAC[:])
	return p.frame, Tunnel{VNI: m.VNI, VTEP: m.VTEP}, Forward
}

// Ingress translates an Ethernet frame that came through the tunnel.
func (g *Gateway) Ingress(frame []byte, from Tunnel) ([]byte, Verdict) {
	p, verdict := parse(frame)
	if verdict != Forward {
		return nil, verdict
	}
	if p.dst() != g.member {
		return nil, WrongDestination
	}
	who, known := g.guests[guest{from.VNI, p.src()}]
	if p.forbidden() {
		return nil, Error
	}
	if p.isError() {
		cause, ok := p.cause()
		if !ok || cause.src() != g.member {
			return nil, UnknownSource
		}
		about, ok := g.guests[guest{from.VNI, cause.dst()}]
		if !ok {
			return nil, UnknownSource
		}
		if about.VTEP != from.VTEP {
			return nil, WrongVTEP
		}
		if !known { // a router inside the VPC speaks as the guest
			who, known = about, true
		}
		p.setCause(cause, destinationAt, about.UniqueIP)
	}
	if !known {
		return nil, UnknownSource
	}
	if who.VTEP != from.VTEP {
		return nil, WrongVTEP
	}
	if !p.set(sourceAt, who.UniqueIP) {
		return nil, Error
	}
	return p.frame, Forward
}
