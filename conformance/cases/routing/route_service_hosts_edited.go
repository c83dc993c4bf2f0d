package routing

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that copies the hosts of a service into its routes when
// they are written.
var routeServiceHostsEdited = spec.Case{
	ID: "ROUTE-SERVICE-HOSTS-EDITED", Level: spec.Must, Needs: []spec.Feature{spec.RouteReferences, spec.RouteHost},
	Title: "When the hosts of a service change its routes serve the new ones and not the old.",
	Refs:  []string{"APISIX 3.18 service.hosts"},
	After: []string{"ROUTE-SERVICE-HOSTS"},
	Objects: `
-- services/{{.ID}}-s --
{"hosts": ["old.{{.Host}}", "stays.{{.Host}}"], "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-a --
{"uri": "/x", "service_id": "{{.ID}}-s"}
-- routes/{{.ID}}-b --
{"host": "own.{{.Host}}", "uri": "/x", "service_id": "{{.ID}}-s"}
`,
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		asks := func(old, fresh int) []ask.Expect {
			return []ask.Expect{
				{Host: "old." + h, Target: "/x", Want: old, Why: "the host that goes"},
				{Host: "new." + h, Target: "/x", Want: fresh, Why: "the host that comes"},
				{Host: "stays." + h, Target: "/x", Want: 0, Why: "the host that stays"},
				{Host: "own." + h, Target: "/x", Want: 0, Why: "the host of the route"},
			}
		}
		ask.Route(ctx, t, asks(0, ask.None)...)
		t.Step("the service gets other hosts")
		t.Put(ctx, "services/"+t.Name("s"), t.Render(`{"hosts": ["stays.{{.Host}}", "new.{{.Host}}"], "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}`))
		t.Wait(ctx)
		ask.Route(ctx, t, asks(ask.None, 0)...)
	},
}
