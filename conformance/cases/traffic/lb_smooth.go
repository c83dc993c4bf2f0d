package traffic

import (
	"context"

	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway that sends a heavy target its whole share at once: it is busy
// and idle in turns. APISIX does; nginx shows that it need not be so.
var lbSmooth = spec.Case{
	ID: "LB-SMOOTH", Level: spec.May, Needs: []spec.Feature{spec.UpstreamWeights},
	Title: "With weights 5:1:1 any seven requests in a row are 5:1:1, and the heavy target never gets more than four in a row.",
	Refs:  []string{"nginx, smooth weighted round robin"},
	After: []string{"LB-WEIGHTED"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 5, "{{index .Backends 1}}": 1, "{{index .Backends 2}}": 1}}}
`,
	Backends: 3,
	Run: func(ctx context.Context, t *spec.T) {
		heavy := t.Backend(0).Ref
		ps, run := picks(ctx, t, one(t), 35, traffic.Request{Host: t.Host()}), 0
		for i, p := range ps {
			if run++; p != heavy {
				run = 0
			}
			t.Check(run <= 4, "the heavy target got %d requests in a row, up to request %d", run, i)
			if i >= 7 {
				t.Check(count(ps[i-7 : i])[heavy] == 5, "requests %d to %d: got %v, want 5:1:1", i-7, i-1, count(ps[i-7:i]))
			}
		}
	},
}
