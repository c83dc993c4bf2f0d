package routing

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that lets the younger win, or the id decide, so that a new
// route takes over what another has served.
var routeEqualOlder = spec.Case{
	ID: "ROUTE-EQUAL-OLDER", Level: spec.Should, Needs: []spec.Feature{spec.RoutePriority},
	Title: "Of two routes alike in everything the older one wins, also after it has been edited.",
	Refs:  []string{"APISIX 3.18 router radixtree_host_uri, equal routes in order of insertion"},
	After: []string{"ROUTE-EQUAL-SAME"},
	Objects: `
-- routes/{{.ID}}-z --
{"host": "{{.Host}}", "uri": "/one", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-a --
{"host": "{{.Host}}", "uri": "/one", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}
-- routes/{{.ID}}-b --
{"host": "{{.Host}}", "uri": "/two*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}
-- routes/{{.ID}}-y --
{"host": "{{.Host}}", "uri": "/two*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
`,
	Backends: 2,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		first := ask.Expect{Host: h, Target: "/one", Want: 0, Why: "written first, last by its id"}
		second := ask.Expect{Host: h, Target: "/two", Want: 1, Why: "written first, first by its id"}
		ask.Route(ctx, t, first, second)
		t.Step("the older routes are edited")
		t.Put(ctx, "routes/"+t.Name("z"), t.Render(`{"host": "{{.Host}}", "uri": "/one", "desc": "edited", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}`))
		t.Put(ctx, "routes/"+t.Name("b"), t.Render(`{"host": "{{.Host}}", "uri": "/two*", "desc": "edited", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}`))
		t.Wait(ctx)
		ask.Route(ctx, t, first, second)
	},
}
