package wire

import (
	"bytes"
	"encoding/binary"
	"testing"
)

func TestAnyFlippedBitIsNoticed(t *testing.T) {
	for name, m := range map[string]made{
		"udp":             {proto: protoUDP, src: "10.0.0.1:5", dst: "10.0.0.2:7", payload: []byte("some words")},
		"udp, partial":    {proto: protoUDP, src: "10.0.0.1:5", dst: "10.0.0.2:7", payload: []byte("some words"), partial: true},
		"tcp, partial":    {proto: protoTCP, src: "10.0.0.1:5", dst: "10.0.0.2:7", payload: []byte("some words"), partial: true},
		"tcp, no payload": {proto: protoTCP, src: "10.0.0.1:5", dst: "10.0.0.2:7", partial: true},
	} {
		before := m.frame()
		for bit := range uint64(8 * 40) {
			whole := bytes.Clone(before)
			frames := damage(whole, bit)
			if len(frames) != 1 || intact(t, frames[0]) {
				t.Fatalf("%s: bit %d flipped: %d frames, receiver notices nothing", name, bit, len(frames))
			}
			if !bytes.Equal(whole, before) {
				t.Fatalf("%s: the frame that was given is changed", name)
			}
		}
	}
}

func TestChecksumLeftToTheDeviceIsMadeRight(t *testing.T) {
	for _, proto := range []byte{protoTCP, protoUDP} {
		f := made{proto: proto, src: "10.0.0.1:5", dst: "10.0.0.2:7", payload: []byte("odd"), partial: true}.frame()
		completeChecksum(f)
		if !intact(t, f) {
			t.Errorf("protocol %d: the checksum is wrong", proto)
		}
	}
}

func TestDamageOfASegmentHitsOnePacketOfIt(t *testing.T) {
	m := made{proto: protoTCP, src: "10.0.0.1:5", dst: "10.0.0.2:7", payload: make([]byte, 5000), gso: 1000, partial: true}
	for bit := range uint64(100) {
		frames := damage(m.frame(), bit)
		bad := 0
		for _, f := range frames {
			if !intact(t, f) {
				bad++
			}
		}
		if len(frames) != 5 || bad != 1 {
			t.Fatalf("bit %d: %d of %d packets damaged, want 1 of 5", bit, bad, len(frames))
		}
	}
}

func TestDamageInATunnelLeavesItsHeaderAlone(t *testing.T) {
	inner := made{proto: protoTCP, src: "192.168.0.1:5", dst: "192.168.0.2:7", payload: []byte("tenant")}.frame()
	vxlan := append([]byte{8, 0, 0, 0, 0, 0, 10, 0}, ethernet(inner)...)
	f := made{proto: protoUDP, src: "10.0.0.1:5", dst: "10.0.0.2:4789", payload: vxlan}.frame()
	p, _ := parseFrame(f)
	binary.BigEndian.PutUint16(p.ip[p.l4+6:], 0) // as tunnels do: no outer checksum
	headers := len(f) - len("tenant")
	for bit := range uint64(500) {
		got := damage(f, bit)[0]
		if !bytes.Equal(got[:headers], f[:headers]) {
			t.Fatalf("bit %d: a header is changed", bit)
		}
		if bytes.Equal(got, f) {
			t.Fatalf("bit %d: nothing is changed", bit)
		}
	}
}
