package wire

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"testing"
)

// made is a frame with its offload header, built by hand.
type made struct {
	proto    byte
	src, dst string // address:port
	payload  []byte
	gso      int  // bytes of payload in each packet; 0: none
	partial  bool // the checksum is left to a later device
}

func (m made) frame() []byte {
	src, dst := netip.MustParseAddrPort(m.src), netip.MustParseAddrPort(m.dst)
	var l4 []byte
	field := 0
	switch m.proto {
	case protoTCP:
		l4, field = make([]byte, minTCPHeader), 16
		binary.BigEndian.PutUint32(l4[4:], 1000)
		l4[12], l4[tcpFlags] = 5<<4, 0x10|tcpPSH|tcpFIN|tcpCWR
	case protoUDP:
		l4, field = make([]byte, udpHeader), 6
		binary.BigEndian.PutUint16(l4[4:], uint16(udpHeader+len(m.payload)))
	case protoICMP:
		l4, field = make([]byte, icmpHeader), 2
	}
	if m.proto != protoICMP {
		binary.BigEndian.PutUint16(l4, src.Port())
		binary.BigEndian.PutUint16(l4[2:], dst.Port())
	}
	l4 = append(l4, m.payload...)
	ip := make([]byte, minIPv4Header)
	ip[0], ip[8], ip[9] = 0x45, 64, m.proto
	binary.BigEndian.PutUint16(ip[2:], uint16(len(ip)+len(l4)))
	copy(ip[12:], src.Addr().AsSlice())
	copy(ip[16:], dst.Addr().AsSlice())
	binary.BigEndian.PutUint16(ip[10:], checksum(ip, 0))
	pseudo := pseudoHeader(ip, len(l4))
	if m.proto == protoICMP {
		pseudo = 0
	}
	f := make([]byte, offloadHeader+ethernetHeader)
	binary.BigEndian.PutUint16(f[offloadHeader+12:], etherIPv4)
	if m.partial {
		f[0] = needsCsum
		binary.NativeEndian.PutUint16(f[6:], ethernetHeader+minIPv4Header)
		binary.NativeEndian.PutUint16(f[8:], uint16(field))
		binary.BigEndian.PutUint16(l4[field:], ^checksum(nil, pseudo))
	} else {
		binary.BigEndian.PutUint16(l4[field:], checksum(l4, pseudo))
	}
	if m.gso > 0 {
		f[1] = 1 // VIRTIO_NET_HDR_GSO_TCPV4
		binary.NativeEndian.PutUint16(f[4:], uint16(m.gso))
	}
	return append(append(f, ip...), l4...)
}

// intact says whether the receiver would take the packet.
func intact(t *testing.T, f []byte) bool {
	t.Helper()
	if offloadFlags(f)&needsCsum != 0 {
		t.Fatal("the checksum is still left to a later device")
	}
	p, ok := parseFrame(f)
	if !ok {
		return false
	}
	l4 := p.ip[p.l4:]
	return checksum(p.ip[:p.l4], 0) == 0 && checksum(l4, pseudoHeader(p.ip, len(l4))) == 0
}

func TestParseReadsWhatCounts(t *testing.T) {
	for _, c := range []struct {
		name             string
		m                made
		payload, longest int
		ports            [2]uint16
	}{
		{"udp", made{proto: protoUDP, src: "10.0.0.1:5", dst: "10.0.0.2:7", payload: make([]byte, 100)}, 100, 128, [2]uint16{5, 7}},
		{"tcp", made{proto: protoTCP, src: "10.0.0.1:5", dst: "10.0.0.2:7", payload: make([]byte, 100)}, 100, 140, [2]uint16{5, 7}},
		{"segment", made{proto: protoTCP, src: "10.0.0.1:5", dst: "10.0.0.2:7", payload: make([]byte, 9000), gso: 1000}, 9000, 1040, [2]uint16{5, 7}},
		{"short segment", made{proto: protoTCP, src: "10.0.0.1:5", dst: "10.0.0.2:7", payload: make([]byte, 900), gso: 1000}, 900, 940, [2]uint16{5, 7}},
		{"icmp", made{proto: protoICMP, src: "10.0.0.1:0", dst: "10.0.0.2:0", payload: make([]byte, 8)}, 8, 36, [2]uint16{}},
	} {
		f := append(c.m.frame(), 0, 0, 0) // padding
		p, ok := parseFrame(f)
		if !ok {
			t.Errorf("%s: not read", c.name)
			continue
		}
		if got := len(p.ip) - p.payload; got != c.payload || p.longest != c.longest || p.sport != c.ports[0] || p.dport != c.ports[1] {
			t.Errorf("%s: got payload %d, longest %d, ports %d %d; want %d, %d, %v", c.name, got, p.longest, p.sport, p.dport, c.payload, c.longest, c.ports)
		}
	}
	whole := made{proto: protoUDP, src: "10.0.0.1:5", dst: "10.0.0.2:7", payload: []byte("x")}.frame()
	for cut := range whole {
		if _, ok := parseFrame(whole[:cut]); ok {
			t.Errorf("%d of %d bytes were read as a whole packet", cut, len(whole))
		}
	}
}

func TestSegmentIsCutIntoTheSameBytes(t *testing.T) {
	payload := make([]byte, 10500)
	for i := range payload {
		payload[i] = byte(i * 7 >> 2)
	}
	frames, ok := segment(made{
		proto: protoTCP, src: "10.0.0.1:5", dst: "10.0.0.2:7", payload: payload, gso: 1000, partial: true,
	}.frame())
	if !ok || len(frames) != 11 {
		t.Fatalf("packets: got %d (%t), want 11", len(frames), ok)
	}
	var got []byte
	for i, f := range frames {
		p, _ := parseFrame(f)
		tcp := p.ip[p.l4:]
		if !intact(t, f) {
			t.Errorf("packet %d is damaged", i)
		}
		if seq := binary.BigEndian.Uint32(tcp[4:]); seq != uint32(1000+len(got)) {
			t.Errorf("packet %d: sequence number %d, want %d", i, seq, 1000+len(got))
		}
		if cwr, want := tcp[tcpFlags]&tcpCWR != 0, i == 0; cwr != want {
			t.Errorf("packet %d: CWR %t, want %t", i, cwr, want)
		}
		if end, want := tcp[tcpFlags]&(tcpPSH|tcpFIN) != 0, i == 10; end != want {
			t.Errorf("packet %d: PSH or FIN %t, want %t", i, end, want)
		}
		got = append(got, p.ip[p.payload:]...)
	}
	if !bytes.Equal(got, payload) {
		t.Error("the bytes differ")
	}
}
