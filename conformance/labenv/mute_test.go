package labenv

import (
	"net/netip"
	"testing"

	"github.com/unilb/unilb/sim/history"
)

func TestOnlySilenceAtTheDataAddressInARowMakesAGatewayMute(t *testing.T) {
	data := netip.MustParseAddrPort("10.0.0.1:80")
	isData := func(to netip.AddrPort) bool { return to == data }
	silent, answered := history.Op{To: "10.0.0.1:80"}, history.Op{To: "10.0.0.1:80", Response: &history.Response{Status: 500}}
	elsewhere := history.Op{To: "10.0.0.2:80"}
	for name, c := range map[string]struct {
		cases [][]history.Op
		short bool
	}{
		"two silent":               {[][]history.Op{{silent}, {silent}}, false},
		"three silent":             {[][]history.Op{{silent}, {silent, silent}, {silent}}, true},
		"one answer of many":       {[][]history.Op{{silent}, {silent}, {silent, answered}}, false},
		"an answer between":        {[][]history.Op{{silent}, {silent}, {answered}, {silent}}, false},
		"an answer at last":        {[][]history.Op{{silent}, {silent}, {silent}, {answered}}, false},
		"nothing was asked":        {[][]history.Op{{silent}, {silent}, {}}, false},
		"asked between, elsewhere": {[][]history.Op{{silent}, {silent}, {elsewhere}, {silent}}, true},
	} {
		var m muteness
		for _, ops := range c.cases {
			m.heard(ops, isData)
		}
		if got := m.limit() > 0; got != c.short {
			t.Errorf("%s: a short limit: got %t, want %t", name, got, c.short)
		}
	}
}
