package routing

import (
	"context"
	"fmt"
	"net/netip"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway that ignores remote_addr, compares addresses as text or by
// whole octets, or answers 403.
var routeRemoteAddr = spec.Case{
	ID: "ROUTE-REMOTE-ADDR", Level: spec.Must, Needs: []spec.Feature{spec.RouteRemoteAddr},
	Title:    "A route with a client address serves that address or network only, and others go to the next route.",
	Refs:     []string{"APISIX 3.18 route.remote_addr, an address or a CIDR"},
	After:    []string{"ROUTE-EXACT-OVER-PREFIX"},
	Backends: 2,
	Run: func(ctx context.Context, t *spec.T) {
		me := clientAddr(ctx, t)
		for name, from := range map[string]string{
			"me": me.String(), "near": neighbour(me, 0).Addr().String(), "pair": near(me, 1).String(), "next": neighbour(me, 1).String(), "net": near(me, 8).String(), "all": near(me, me.BitLen()).String(),
		} {
			t.Put(ctx, "routes/"+t.Name(name), t.Render(fmt.Sprintf(`{"host": "{{.Host}}", "uri": "/%s", "remote_addr": "%s", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}`, name, from)))
		}
		t.Put(ctx, "routes/"+t.Name("rest"), t.Render(`{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}`))
		t.Wait(ctx)
		h := t.Host()
		ask.Route(ctx, t,
			ask.Expect{Host: h, Target: "/me", Want: 0, Why: "the address itself"},
			ask.Expect{Host: h, Target: "/near", Want: 1, Why: "the address beside"},
			ask.Expect{Host: h, Target: "/pair", Want: 0, Why: "a network of two addresses"},
			ask.Expect{Host: h, Target: "/next", Want: 1, Why: "the two addresses beside"},
			ask.Expect{Host: h, Target: "/net", Want: 0, Why: "a network of 256 addresses"},
			ask.Expect{Host: h, Target: "/all", Want: 0, Why: "the network of all addresses"},
		)
	},
}

// clientAddr is where the first client dials gateways from.
func clientAddr(ctx context.Context, t *spec.T) netip.Addr {
	var me netip.Addr
	for _, gw := range t.Env().Gateways() {
		r := ask.Session(t, gw.Data, traffic.Options{}).Do(ctx, traffic.Request{Host: t.Host()})
		if r.Reply == nil {
			t.Fatalf("%s: no answer: %v (op %s)", gw.Ref, r.Err, r.Op.ID)
		}
		from := netip.MustParseAddr(ask.ClientAddr(t, r))
		if me.IsValid() && from != me {
			t.Brokenf("the client dials from %s and from %s; the case needs one address", me, from)
		}
		me = from
	}
	return me
}

// near is the network of an address in which so many of the last bits differ.
func near(a netip.Addr, bits int) netip.Prefix { return netip.PrefixFrom(a, a.BitLen()-bits).Masked() }

// neighbour is the network of the same size beside it.
func neighbour(a netip.Addr, bits int) netip.Prefix {
	b := a.AsSlice()
	last := len(b) - 1
	b[last] ^= 1 << bits
	other, _ := netip.AddrFromSlice(b) // as long as that of a
	return near(other, bits)
}
