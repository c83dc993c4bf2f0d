package model

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"testing"

	"github.com/unilb/unilb/impl/vpc"
)

var (
	member  = netip.MustParseAddr("100.127.0.1")
	unique  = netip.MustParseAddr("100.64.0.10")
	private = netip.MustParseAddr("192.168.1.10")
	vtep    = netip.MustParseAddr("10.0.0.11")
	mapping = vpc.Mapping{
		UniqueIP: unique, VNI: 10, VPCIP: private, MAC: vpc.MAC{2, 0, 0, 0, 1, 10}, VTEP: vtep, Generation: 1,
	}
)

// datagram builds a frame with a UDP datagram whose checksums are right.
func datagram(src, dst netip.Addr, payload []byte) []byte {
	f := make([]byte, ethernetLen+20+8+len(payload))
	f[12], f[13] = 8, 0
	ip := f[ethernetLen:]
	ip[0], ip[8], ip[9] = 0x45, 64, protoUDP
	binary.BigEndian.PutUint16(ip[2:], uint16(28+len(payload)))
	copy(ip[sourceAt:], src.AsSlice())
	copy(ip[destinationAt:], dst.AsSlice())
	binary.BigEndian.PutUint16(ip[checksumAt:], ^sum(ip[:20], 0))
	u := ip[20:]
	binary.BigEndian.PutUint16(u, 7777)
	binary.BigEndian.PutUint16(u[2:], 7)
	binary.BigEndian.PutUint16(u[4:], uint16(8+len(payload)))
	copy(u[8:], payload)
	check := ^udpSum(f)
	if check == 0 {
		check = 0xffff
	}
	binary.BigEndian.PutUint16(u[6:], check)
	return f
}

// udpSum is the sum that is 0xffff when the checksum is right.
func udpSum(f []byte) uint16 {
	ip := f[ethernetLen:]
	u := ip[20:]
	s := uint32(sum(ip[sourceAt:20], 0)) + protoUDP + uint32(len(u))
	return sum(u, s)
}

func TestDatagramGoesToTheGuestAndItsAnswerComesBack(t *testing.T) {
	g := New(member, []vpc.Mapping{mapping})
	out, to, v := g.Egress(datagram(member, unique, []byte("question")))
	if v != Forward || to != (Tunnel{VNI: 10, VTEP: vtep}) {
		t.Fatalf("egress: got verdict %q to %+v", v, to)
	}
	if want := datagram(member, private, []byte("question")); !bytes.Equal(out[14:], want[14:]) || !bytes.Equal(out[:6], mapping.MAC[:]) {
		t.Errorf("egress: got %x, want %x to %s", out, want, mapping.MAC)
	}
	back, v := g.Ingress(datagram(private, member, []byte("answer")), to)
	if want := datagram(unique, member, []byte("answer")); v != Forward || !bytes.Equal(back, want) {
		t.Errorf("ingress: got verdict %q, %x, want %x", v, back, want)
	}
}

func TestPacketsOfOthersAreDropped(t *testing.T) {
	g := New(member, []vpc.Mapping{mapping})
	good := datagram(private, member, nil)
	arp := append([]byte(nil), good...)
	arp[13] = 6
	redirect := datagram(private, member, make([]byte, 32))
	redirect[ethernetLen+9], redirect[ethernetLen+20] = protoICMP, 5
	for _, c := range []struct {
		name  string
		frame []byte
		from  Tunnel
		want  Verdict
	}{
		{"own VNI and host", good, Tunnel{10, vtep}, Forward},
		{"another VNI", good, Tunnel{11, vtep}, UnknownSource},
		{"another host", good, Tunnel{10, member}, WrongVTEP},
		{"a guest without a unique IP", datagram(vtep, member, nil), Tunnel{10, vtep}, UnknownSource},
		{"to another address", datagram(private, unique, nil), Tunnel{10, vtep}, WrongDestination},
		{"no IPv4", arp, Tunnel{10, vtep}, NotIPv4},
		{"cut off", good[:30], Tunnel{10, vtep}, Error},
		{"ICMP redirect", redirect, Tunnel{10, vtep}, Error},
	} {
		if _, got := g.Ingress(c.frame, c.from); got != c.want {
			t.Errorf("%s: got verdict %q, want %q", c.name, got, c.want)
		}
	}
	if _, _, got := g.Egress(datagram(member, private, nil)); got != Miss {
		t.Errorf("to an address that is not mapped: got verdict %q, want %q", got, Miss)
	}
}

// FuzzChecksumsStayAsRightAsTheyWere compares the adjusted checksums with a
// computation from scratch.
func FuzzChecksumsStayAsRightAsTheyWere(f *testing.F) {
	f.Add([]byte("hello"), uint32(0xc0a80a01))
	f.Add([]byte{}, uint32(0))
	f.Fuzz(func(t *testing.T, payload []byte, to uint32) {
		m := mapping
		var a [4]byte
		binary.BigEndian.PutUint32(a[:], to)
		m.VPCIP = netip.AddrFrom4(a)
		out, _, v := New(member, []vpc.Mapping{m}).Egress(datagram(member, unique, payload))
		if v != Forward {
			t.Fatalf("got verdict %q", v)
		}
		if got := sum(out[ethernetLen:ethernetLen+20], 0); got != 0xffff {
			t.Errorf("header to %s sums to %#x", m.VPCIP, got)
		}
		if got := udpSum(out); got != 0xffff {
			t.Errorf("datagram to %s sums to %#x", m.VPCIP, got)
		}
	})
}
