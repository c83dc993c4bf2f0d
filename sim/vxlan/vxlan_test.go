package vxlan

import (
	"bytes"
	"net/netip"
	"testing"
)

func TestDatagramIsWhatItSays(t *testing.T) {
	b, err := Datagram(0xabcdef, netip.MustParseAddr("10.0.0.7"), netip.MustParseAddrPort("198.18.1.2:7777"), []byte("hello"))
	if err != nil {
		t.Fatal(err)
	}
	ip := b[8+14:]
	for name, c := range map[string]struct{ got, want []byte }{
		"VXLAN with the VNI":   {b[:8], []byte{0x08, 0, 0, 0, 0xab, 0xcd, 0xef, 0}},
		"to a member's tunnel": {b[8:14], member},
		"length of IPv4":       {ip[2:4], []byte{0, 20 + 8 + 5}},
		"from":                 {ip[12:16], []byte{10, 0, 0, 7}},
		"to":                   {ip[16:20], []byte{198, 18, 1, 2}},
		"ports and length":     {ip[20:26], []byte{0x9c, 0x40, 0x1e, 0x61, 0, 8 + 5}},
		"payload":              {ip[28:33], []byte("hello")},
	} {
		if !bytes.Equal(c.got, c.want) {
			t.Errorf("%s: got %x, want %x", name, c.got, c.want)
		}
	}
}

func TestDatagramSaysWhatCannotBeOne(t *testing.T) {
	v4, to := netip.MustParseAddr("10.0.0.7"), netip.MustParseAddrPort("198.18.1.2:7777")
	if b, err := Datagram(1<<24, v4, to, nil); err == nil {
		t.Errorf("a VNI of 25 bits: got %x, want an error", b)
	}
	if b, err := Datagram(1, netip.MustParseAddr("fd00::7"), to, nil); err == nil {
		t.Errorf("from IPv6: got %x, want an error", b)
	}
}
