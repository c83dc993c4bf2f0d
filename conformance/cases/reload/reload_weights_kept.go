package reload

import (
	"context"
	"time"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/check"
	"github.com/unilb/unilb/sim/history"
	"github.com/unilb/unilb/sim/traffic"
	"github.com/unilb/unilb/topology"
)

// keptAlpha is the probability with which a gateway that begins its round at a
// random place after each edit is called wrong by mistake. One that begins at the
// same place sends all 30 requests to one target, for which p is 4e-8.
const keptAlpha = 1e-6

// Catches a gateway that begins its round robin again with every edit of
// anything: where edits are frequent and requests rare, the first target of every
// upstream gets all of them.
var reloadWeightsKept = spec.Case{
	ID: "RELOAD-WEIGHTS-KEPT", Level: spec.Should, Needs: []spec.Feature{spec.HotConfig, spec.UpstreamWeights},
	Title: "Edits of other objects do not begin a round robin again: one request after each of 30 edits spreads over two equal targets (chi-square, alpha 1e-6).",
	Refs:  []string{"APISIX 3.18 balancer: a picker is kept until its own upstream changes"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1, "{{index .Backends 1}}": 1}}}
`,
	Backends: 2,
	Timeout:  60 * time.Second, // some gateways take half a second for an edit
	Run: func(ctx context.Context, t *spec.T) {
		conns := keep(ctx, t, 1, traffic.Request{Host: t.Host()})
		seen := make([]history.History, len(conns))
		for i := range 30 {
			touch(ctx, t, i, t.Backend(0))
			for n, c := range conns {
				r := c.Do(ctx, traffic.Request{Host: t.Host()})
				if r.Backend() == "" {
					t.Fatalf("%s: after edit %d: got %s, want an answer of a backend (op %s)", c.Ref, i+1, ask.Said(r), r.Op.ID)
				}
				seen[n].Ops = append(seen[n].Ops, r.Op)
			}
		}
		weights := map[topology.Ref]int{t.Backend(0).Ref: 1, t.Backend(1).Ref: 1}
		for n, c := range conns {
			t.Logf("%s", c.Ref)
			t.Verdicts(check.Weighted(keptAlpha, weights).Check(&seen[n], check.Facts{}))
		}
	},
}
