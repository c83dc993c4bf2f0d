package reload

import (
	"context"

	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway that drops its connections to all backends with every edit:
// backends then see a storm of new connections each time somebody changes
// anything.
var reloadBackendConnsKept = spec.Case{
	ID: "RELOAD-BACKEND-CONNS-KEPT", Level: spec.Should, Needs: []spec.Feature{spec.HotConfig, spec.ProxyKeepalive},
	Title: "Connections to backends are used again after edits of other objects: five edits cost no new one.",
	Refs:  []string{"APISIX 3.18 upstream.keepalive_pool", "RFC 9112 9.3"},
	Objects: `
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
`,
	Backends: 2,
	Run: func(ctx context.Context, t *spec.T) {
		conns := keep(ctx, t, 1, traffic.Request{Host: t.Host()})
		used := map[string]bool{} // ids of operations
		round := func(why string) {
			for _, c := range conns {
				for range 3 {
					used[c.served(ctx, t, traffic.Request{Host: t.Host()}, t.Backend(0), why).Op.ID] = true
				}
			}
		}
		round("before the edits")
		before := sources(t, used)
		for i := range 5 {
			touch(ctx, t, i, t.Backend(1))
			round("after an edit of another route")
		}
		after := sources(t, used)
		t.Logf("connections to the backend: %d before the edits, %d in all", len(before), len(after))
		t.Check(len(after) <= len(before), "five edits of another route cost %d new connections to the backend, want 0", len(after)-len(before))
	},
}

// sources are the peers from which requests arrived at backends.
func sources(t *spec.T, ops map[string]bool) map[string]bool {
	out := map[string]bool{}
	for _, a := range t.Env().Recorder().Snapshot().Arrivals {
		if ops[a.ID] {
			out[a.From] = true
		}
	}
	return out
}
