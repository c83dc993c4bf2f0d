package traffic

import (
	"context"

	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway that calls chance round robin: with few requests some targets
// get a crowd and others nothing.
var lbEven = spec.Case{
	ID: "LB-EVEN", Level: spec.Should, Needs: []spec.Feature{spec.UpstreamWeights},
	Title: "On one connection three targets of equal weight take turns: any three requests in a row meet all three.",
	Refs:  []string{"APISIX 3.18 upstream type roundrobin"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1, "{{index .Backends 1}}": 1, "{{index .Backends 2}}": 1}}}
`,
	Backends: 3,
	Run: func(ctx context.Context, t *spec.T) {
		ps := picks(ctx, t, one(t), 30, traffic.Request{Host: t.Host()})
		for i := range len(ps) - 2 {
			if n := len(count(ps[i : i+3])); n != 3 {
				t.Fatalf("requests %d to %d met %d of 3 targets: %v", i, i+2, n, ps[i:i+3])
			}
		}
	},
}
