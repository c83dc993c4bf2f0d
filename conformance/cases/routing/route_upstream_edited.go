package routing

import (
	"context"
	"fmt"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that copies an upstream into the routes that name it when
// they are written.
var routeUpstreamEdited = spec.Case{
	ID: "ROUTE-UPSTREAM-EDITED", Level: spec.Must, Needs: []spec.Feature{spec.RouteReferences},
	Title: "When an upstream changes all routes and services that name it follow, without being written again.",
	Refs:  []string{"APISIX 3.18 route.upstream_id and service.upstream_id"},
	After: []string{"ROUTE-SERVICE"},
	Objects: `
-- upstreams/{{.ID}}-u --
{"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}
-- services/{{.ID}}-s --
{"upstream_id": "{{.ID}}-u"}
-- routes/{{.ID}}-a --
{"host": "{{.Host}}", "uri": "/a", "upstream_id": "{{.ID}}-u"}
-- routes/{{.ID}}-b --
{"host": "{{.Host}}", "uri": "/b", "service_id": "{{.ID}}-s"}
-- routes/{{.ID}}-c --
{"host": "{{.Host}}", "uri": "/c", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
`,
	Backends: 2,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		for _, now := range []int{0, 1, 0} {
			t.Step("the upstream is backend %d", now)
			t.Put(ctx, "upstreams/"+t.Name("u"), t.Render(fmt.Sprintf(`{"type": "roundrobin", "nodes": {"{{index .Backends %d}}": 1}}`, now)))
			t.Wait(ctx)
			ask.Route(ctx, t,
				ask.Expect{Host: h, Target: "/a", Want: now, Why: "a route that names it"},
				ask.Expect{Host: h, Target: "/b", Want: now, Why: "a route whose service names it"},
				ask.Expect{Host: h, Target: "/c", Want: 0, Why: "a route with an upstream of its own"},
			)
		}
	},
}
