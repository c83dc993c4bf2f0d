package reload

import (
	"context"
	"sync"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway that says that a revision is in force when it has it on one
// of its workers, or has only begun to bring it into force.
var reloadOwnWord = spec.Case{
	ID: "RELOAD-OWN-WORD", Level: spec.Must, Needs: []spec.Feature{spec.HotConfig},
	Title: "Once a gateway says that an edit is in force, all of eight kept connections to it, asked at once, serve it from their next request on.",
	Refs:  []string{"docs/wire.md 1, applied"},
	Objects: `
-- upstreams/{{.ID}} --
{"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}
-- routes/{{.ID}} --
{"host": "{{.Host}}", "uri": "/*", "upstream_id": "{{.ID}}"}
`,
	Backends: 2,
	Run: func(ctx context.Context, t *spec.T) {
		conns := keep(ctx, t, 8, traffic.Request{Host: t.Host()})
		for i := 1; i <= 10; i++ {
			want := t.Backend(i % 2)
			t.Put(ctx, "upstreams/"+t.ID(), upstreamOf(want))
			t.Wait(ctx)
			results := make([][2]traffic.Result, len(conns))
			var all sync.WaitGroup
			for n, c := range conns {
				all.Go(func() {
					for k := range results[n] {
						results[n][k] = c.Do(ctx, traffic.Request{Host: t.Host()})
					}
				})
			}
			all.Wait()
			for n, c := range conns {
				for _, r := range results[n] {
					t.Check(r.Backend() == want.Ref, "%s: edit %d is in force by its own word, and request %d of a connection got %s, want %s (op %s)",
						c.Ref, i, r.Op.Reused+1, ask.Said(r), want.Ref, r.Op.ID)
				}
			}
		}
	},
}
