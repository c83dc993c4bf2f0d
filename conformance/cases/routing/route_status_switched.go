package routing

import (
	"context"
	"fmt"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that notices status when a route is created only.
var routeStatusSwitched = spec.Case{
	ID: "ROUTE-STATUS-SWITCHED", Level: spec.Must, Needs: []spec.Feature{spec.RouteStatus},
	Title: "Switching a route off and on takes effect without writing anything else.",
	Refs:  []string{"APISIX 3.18 route.status"},
	After: []string{"ROUTE-STATUS"},
	Objects: `
-- routes/{{.ID}}-a --
{"host": "{{.Host}}", "uri": "/x", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-b --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}
`,
	Backends: 2,
	Run: func(ctx context.Context, t *spec.T) {
		for _, step := range []struct{ status, want int }{{0, 1}, {1, 0}, {0, 1}} {
			t.Step("status becomes %d", step.status)
			t.Put(ctx, "routes/"+t.Name("a"), t.Render(fmt.Sprintf(`{"host": "{{.Host}}", "uri": "/x", "status": %d, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}`, step.status)))
			t.Wait(ctx)
			ask.Route(ctx, t, ask.Expect{Host: t.Host(), Target: "/x", Want: step.want, Why: fmt.Sprintf("status is %d", step.status)})
		}
	},
}
