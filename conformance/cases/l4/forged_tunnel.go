package l4

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/forge"
	"github.com/unilb/unilb/conformance/cases/site"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/topology"
)

// Catches a gateway that takes whatever comes through the tunnel of L4: a machine
// of the underlay that was taken over plays any client of any tenant.
var forgedTunnel = spec.Case{
	ID: "L4-FORGED-TUNNEL", Level: spec.Must, Needs: []spec.Feature{spec.L4Spread}, Env: region,
	Title:   "A gateway takes packets from the tunnel of L4 when an L4 node has sent them, and drops them when another machine has.",
	Refs:    []string{"docs/wire.md 5: l4tun0", "RFC 7348 7"},
	Timeout: caseTime,
	Run: func(ctx context.Context, t *spec.T) {
		site.Servers(ctx, t, 1) // so that L4 and its members are at work
		l4, hosts := t.Env().Nodes(topology.KindL4), t.Env().Nodes(topology.KindHost)
		for _, g := range t.Env().Nodes(topology.KindL7) {
			liar := hosts[len(hosts)-1]
			lies := forge.Lies(ctx, t, g, forge.L4(l4[0]), liar, l4[0])
			t.Check(lies == 0, "%s took %d packets from %s, which plays %s", g.Ref, lies, liar.Ref, l4[0].Ref)
		}
	},
}
