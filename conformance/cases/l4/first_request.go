package l4

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/cases/site"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches an L4 node that says that an address is in force before it has anybody
// to forward its packets to: the first visitors of a new site wait for a packet to
// be sent again.
var firstRequest = spec.Case{
	ID: "L4-FIRST-REQUEST", Level: spec.Must, Needs: []spec.Feature{spec.L4Spread}, Env: region,
	Title:   "A public address that is said to be in force answers the first connections of all clients, none of which needs a packet sent twice.",
	Refs:    []string{"docs/wire.md 1: applied, on an L4 node", "docs/wire.md 3: operations"},
	Timeout: caseTime,
	Run: func(ctx context.Context, t *spec.T) {
		// A lost SYN is sent again after a second (RFC 6298 2.1).
		const patience = 900 * time.Millisecond
		server := t.Start(ctx, spec.Want{N: 1})[0]
		lb := site.LB{Name: "first", Tenant: "t1", EIP: site.EIP(t, "idc").Address, Port: 80, Host: t.Host(), Targets: []netip.AddrPort{server.Addr}}
		site.Publish(ctx, t, lb)
		var asking sync.WaitGroup
		for i, s := range site.Fresh(t, lb, "first", patience) {
			for range 8 {
				asking.Go(func() {
					r := s.Do(ctx, traffic.Request{Host: lb.Host})
					t.Check(site.Through(t, r) != "", "%s: got %s within %s of its being in force (op %s)", t.Env().Clients()[i].Ref, ask.Said(r), patience, r.Op.ID)
				})
			}
		}
		asking.Wait()
	},
}
