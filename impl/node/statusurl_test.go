package node

import (
	"net/netip"
	"testing"
)

func TestStatusListenerIsFoundWhereItListens(t *testing.T) {
	under := netip.MustParseAddr("10.1.0.3")
	for _, tc := range []struct {
		listen   string
		underlay netip.Addr
		want     string // "": refused
	}{
		{":9092", under, "http://10.1.0.3:9092"}, {"0.0.0.0:9092", under, "http://10.1.0.3:9092"}, {"[::]:9092", under, "http://10.1.0.3:9092"},
		{":9092", netip.Addr{}, "http://127.0.0.1:9092"}, {"[::]:9092", netip.Addr{}, "http://127.0.0.1:9092"},
		{"10.9.9.9:9092", under, "http://10.9.9.9:9092"}, {"[fd00::1]:9092", under, "http://[fd00::1]:9092"}, {"gw.example:9092", under, "http://gw.example:9092"},
		{":9092", netip.MustParseAddr("fd00::2"), "http://[fd00::2]:9092"},
		{"9092", under, ""}, {"", under, ""},
	} {
		got, err := StatusURL(tc.listen, tc.underlay)
		if got != tc.want || (err == nil) != (tc.want != "") {
			t.Errorf("%q at %v: got %q, %v, want %q", tc.listen, tc.underlay, got, err, tc.want)
		}
	}
}
