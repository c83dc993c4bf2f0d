package vpc

import (
	"context"
	"net/netip"
	"time"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/cases/site"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway that keeps the routes of all tenants in one space: asking
// tenant B's address for tenant A's host then reaches A's servers through B's
// address, past A's rules for who may connect to its own.
var eipForeignHost404 = spec.Case{
	ID: "EIP-FOREIGN-HOST-404", Level: spec.Must, Needs: []spec.Feature{spec.ListenerBinding}, Env: []spec.Capability{spec.Region},
	Title:   "On a tenant's address another tenant's host name, and a name of nobody, get 404; each host is served on its own address.",
	Refs:    []string{"docs/wire.md 1, listeners"},
	Timeout: time.Minute,
	Run: func(ctx context.Context, t *spec.T) {
		idc := t.Start(ctx, spec.Want{N: 2})
		own, other := site.EIP(t, "idc"), otherEIP(t, "idc")
		ownHost, otherHost := "own."+t.Host(), "other."+t.Host()
		const port = 80
		site.Publish(ctx, t, site.LB{Name: "own", Tenant: "t1", EIP: own.Address, Port: port, Host: ownHost, Targets: []netip.AddrPort{idc[0].Addr}})
		site.Publish(ctx, t, site.LB{Name: "other", Tenant: "t2", EIP: other.Address, Port: port, Host: otherHost, Targets: []netip.AddrPort{idc[1].Addr}})
		for _, c := range []struct {
			eip  spec.EIP
			host string
			want int // index in idc, or none
		}{
			{own, ownHost, 0}, {other, otherHost, 1},
			{own, otherHost, ask.None}, {other, ownHost, ask.None}, {own, "nobody." + t.Host(), ask.None}, {own, t.Host(), ask.None},
		} {
			s := ask.Session(t, netip.AddrPortFrom(c.eip.Address, port), traffic.Options{})
			for range 8 { // several connections, so that all gateways are met
				r := s.Do(ctx, traffic.Request{Host: c.host})
				switch {
				case r.Reply == nil:
					t.Check(false, "%s on %s: no answer: %v (op %s)", c.host, c.eip.Name, r.Err, r.Op.ID)
				case c.want == ask.None:
					t.Check(r.Reply.Status == 404 && !r.Reply.FromBackend(), "%s on %s: got %s, want the gateway's 404 (op %s)", c.host, c.eip.Name, ask.Said(r), r.Op.ID)
				default:
					t.Check(r.Backend() == idc[c.want].Ref, "%s on %s: got %s, want %s (op %s)", c.host, c.eip.Name, ask.Said(r), idc[c.want].Ref, r.Op.ID)
				}
			}
		}
	},
}

// otherEIP is an EIP of another network.
func otherEIP(t *spec.T, network string) spec.EIP {
	for _, e := range t.Env().EIPs() {
		if e.Network != network {
			return e
		}
	}
	t.Brokenf("only one network has an EIP: %v", t.Env().EIPs())
	return spec.EIP{}
}
