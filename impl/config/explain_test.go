package config

import (
	"net/netip"
	"testing"

	"github.com/unilb/unilb/impl/route"
)

// Beside the address and port of a listener a condition sees what the request has, text or
// not.
func TestBoundVariablesLoseNone(t *testing.T) {
	q := &route.Query{Local: netip.MustParseAddrPort("[::ffff:203.0.113.10]:80")}
	v := bound{fields{"post_arg_v": "2", "server_port": "81"}, q}
	for name, want := range map[string]string{"server_addr": "203.0.113.10", "server_port": "80", "post_arg_v": "2", "post_arg_x": ""} {
		if got, ok := v.Var(name); got != want || ok != (want != "") {
			t.Errorf("$%s = %q, %t, want %q", name, got, ok, want)
		}
		if got, ok := v.Value(name); got != any(want) || ok != (want != "") {
			t.Errorf("the value of $%s is %v, %t, want %q", name, got, ok, want)
		}
	}
}
