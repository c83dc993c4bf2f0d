package fnat

import (
	"fmt"

	"github.com/cilium/ebpf"
)

// Counters count the packets of one direction since its maps were made.
// Everything but Packets, Bytes and ARP counts packets that were dropped, by
// reason. It has the layout of struct counters in packet.h.
type Counters struct {
	Packets          uint64 `json:"packets"`           // forwarded; segments still in one piece count once
	Bytes            uint64 `json:"bytes"`             // of those, with the inner Ethernet header
	Miss             uint64 `json:"miss"`              // no entry for the destination
	UnknownSource    uint64 `json:"unknown_source"`    // the VNI does not hold the source
	WrongVTEP        uint64 `json:"wrong_vtep"`        // the outer source does not own the inner source
	WrongDestination uint64 `json:"wrong_destination"` // not for this node
	NotIPv4          uint64 `json:"not_ipv4"`
	TooBig           uint64 `json:"too_big"` // answered with ICMP fragmentation needed
	ARP              uint64 `json:"arp"`     // requests answered
	Error            uint64 `json:"error"`   // malformed, or refused by the kernel
}

// readCounters sums one direction over all CPUs.
func readCounters(m *ebpf.Map, direction uint32) (Counters, error) {
	var perCPU []Counters
	if err := m.Lookup(direction, &perCPU); err != nil {
		return Counters{}, fmt.Errorf("read counters: %w", err)
	}
	var sum Counters
	for _, c := range perCPU {
		sum.Packets += c.Packets
		sum.Bytes += c.Bytes
		sum.Miss += c.Miss
		sum.UnknownSource += c.UnknownSource
		sum.WrongVTEP += c.WrongVTEP
		sum.WrongDestination += c.WrongDestination
		sum.NotIPv4 += c.NotIPv4
		sum.TooBig += c.TooBig
		sum.ARP += c.ARP
		sum.Error += c.Error
	}
	return sum, nil
}
