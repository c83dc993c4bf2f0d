package reload

import (
	"context"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that begins with the configuration of its start when it
// reloads, and serves that until it has caught up.
var reloadSignalConfig = spec.Case{
	ID: "RELOAD-SIGNAL-CONFIG", Level: spec.Must, Needs: []spec.Feature{spec.GatewayReload}, Env: []spec.Capability{spec.Control},
	Title: "A reload takes nothing back: what was in force before is served by every new connection during and after it.",
	Refs:  []string{"nginx control: HUP", "docs/wire.md 1, applied"},
	After: []string{"RELOAD-SIGNAL-LOAD"},
	Objects: `
-- upstreams/{{.ID}} --
{"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream_id": "{{.ID}}"}
`,
	Backends: 2,
	Run: func(ctx context.Context, t *spec.T) {
		answers(ctx, t, t.Backend(0), "before any edit")
		for i := 1; i <= 3; i++ {
			want := t.Backend(i % 2)
			t.Put(ctx, "upstreams/"+t.ID(), upstreamOf(want))
			t.Wait(ctx)
			reloadAll(ctx, t)
			for range 5 {
				answers(ctx, t, want, "after a reload")
			}
		}
	},
}
