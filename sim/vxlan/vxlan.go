// Package vxlan owns the making of VXLAN packets by hand: what a machine of the
// underlay sends that is not who it says. Nothing here keeps state.
package vxlan

import (
	"fmt"
	"net"
	"net/netip"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
)

// member is the MAC of the tunnel of every member of a pool; stranger is nobody's.
var (
	member   = net.HardwareAddr{0x02, 0, 0, 0, 0x40, 0}
	stranger = net.HardwareAddr{0x02, 0, 0, 0, 0, 0x66}
)

// Datagram returns the payload of an outer UDP datagram: a VXLAN header (RFC 7348,
// 5) with the VNI, an Ethernet frame to a member of a pool, and in it a UDP datagram
// over IPv4. A VNI of more than 24 bits and an address that is not IPv4 are errors.
func Datagram(vni uint32, from netip.Addr, to netip.AddrPort, payload []byte) ([]byte, error) {
	const sourcePort = 40000
	ip := &layers.IPv4{Version: 4, TTL: 64, Protocol: layers.IPProtocolUDP, SrcIP: from.AsSlice(), DstIP: to.Addr().AsSlice()}
	udp := &layers.UDP{SrcPort: sourcePort, DstPort: layers.UDPPort(to.Port())}
	if err := udp.SetNetworkLayerForChecksum(ip); err != nil {
		return nil, fmt.Errorf("make a VXLAN packet: %w", err)
	}
	b := gopacket.NewSerializeBuffer()
	err := gopacket.SerializeLayers(b, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true},
		&layers.VXLAN{ValidIDFlag: true, VNI: vni},
		&layers.Ethernet{SrcMAC: stranger, DstMAC: member, EthernetType: layers.EthernetTypeIPv4},
		ip, udp, gopacket.Payload(payload))
	if err != nil {
		return nil, fmt.Errorf("make a VXLAN packet: %w", err)
	}
	return b.Bytes(), nil
}
