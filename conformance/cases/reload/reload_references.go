package reload

import (
	"context"
	"fmt"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that copies a service or an upstream into a route when the
// route is written, and does not follow later edits of it.
var reloadReferences = spec.Case{
	ID: "RELOAD-REFERENCES", Level: spec.Must, Needs: []spec.Feature{spec.HotConfig, spec.RouteReferences},
	Title: "An edit of an upstream is followed by every route that uses it, directly or by a service, and an edit of a service by its routes alone.",
	Refs:  []string{"APISIX 3.18 route.service_id, route.upstream_id, service.upstream_id"},
	Objects: `
-- upstreams/{{.ID}} --
{"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}
-- services/{{.ID}} --
{"upstream_id": "{{.ID}}"}
-- routes/{{.ID}}-direct --
{"host": "{{.Host}}", "uri": "/direct", "upstream_id": "{{.ID}}"}
-- routes/{{.ID}}-service --
{"host": "{{.Host}}", "uri": "/service", "service_id": "{{.ID}}"}
`,
	Backends: 3,
	Run: func(ctx context.Context, t *spec.T) {
		serves := func(why string, direct, service int) {
			ask.Route(ctx, t, ask.Expect{Host: t.Host(), Target: "/direct", Want: direct, Why: why}, ask.Expect{Host: t.Host(), Target: "/service", Want: service, Why: why})
		}
		serves("before", 0, 0)
		t.Put(ctx, "upstreams/"+t.ID(), upstreamOf(t.Backend(1)))
		t.Wait(ctx)
		serves("the upstream was edited", 1, 1)
		t.Put(ctx, "services/"+t.ID(), fmt.Sprintf(`{"upstream":%s}`, upstreamOf(t.Backend(2))))
		t.Wait(ctx)
		serves("the service was edited", 1, 2)
		t.Put(ctx, "services/"+t.ID(), fmt.Sprintf(`{"upstream_id":%q}`, t.ID()))
		t.Put(ctx, "upstreams/"+t.ID(), upstreamOf(t.Backend(0)))
		t.Wait(ctx)
		serves("both were edited", 0, 0)
	},
}
