package reload

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that takes an upstream away together with the first route
// that used it, or counts users and miscounts a route that was written twice.
var reloadSharedUpstream = spec.Case{
	ID: "RELOAD-SHARED-UPSTREAM", Level: spec.Must, Needs: []spec.Feature{spec.HotConfig},
	Title: "A route goes on serving when others that share its upstream are edited and deleted.",
	Refs:  []string{"APISIX 3.18 route.upstream_id"},
	Objects: `
-- upstreams/{{.ID}} --
{"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}
-- routes/{{.ID}}-stays --
{"host": "{{.Host}}", "uri": "/stays", "upstream_id": "{{.ID}}"}
-- routes/{{.ID}}-goes --
{"host": "{{.Host}}", "uri": "/goes", "upstream_id": "{{.ID}}"}
-- routes/{{.ID}}-moves --
{"host": "{{.Host}}", "uri": "/moves", "upstream_id": "{{.ID}}"}
`,
	Backends: 2,
	Run: func(ctx context.Context, t *spec.T) {
		serves := func(why string, goes, moves int) {
			ask.Route(ctx, t,
				ask.Expect{Host: t.Host(), Target: "/stays", Want: 0, Why: why},
				ask.Expect{Host: t.Host(), Target: "/goes", Want: goes, Why: why},
				ask.Expect{Host: t.Host(), Target: "/moves", Want: moves, Why: why})
		}
		serves("before", 0, 0)
		moves := t.Render(`{"host": "{{.Host}}", "uri": "/moves", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}`)
		t.Put(ctx, "routes/"+t.Name("moves"), moves)
		t.Put(ctx, "routes/"+t.Name("moves"), moves)
		t.Wait(ctx)
		serves("one route has left the upstream", 0, 1)
		t.Delete(ctx, "routes/"+t.Name("goes"))
		t.Wait(ctx)
		serves("one route is deleted", ask.None, 1)
		t.Delete(ctx, "routes/"+t.Name("moves"))
		t.Wait(ctx)
		serves("two routes are deleted", ask.None, ask.None)
	},
}
