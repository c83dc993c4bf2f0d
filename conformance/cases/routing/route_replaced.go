package routing

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that adds the new version of a route and leaves the paths
// and hosts of the old one in its index.
var routeReplaced = spec.Case{
	ID: "ROUTE-REPLACED", Level: spec.Must, Needs: []spec.Feature{spec.RouteURI, spec.RouteHost},
	Title: "A route that is written again serves its new hosts and paths and none of the old.",
	Refs:  []string{"APISIX 3.18 Admin API, PUT replaces"},
	After: []string{"ROUTE-HOSTS-URIS"},
	Objects: `
-- routes/{{.ID}}-a --
{"hosts": ["old.{{.Host}}", "both.{{.Host}}"], "uris": ["/old", "/both/*"], "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
`,
	Backends: 2,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		ask.Route(ctx, t,
			ask.Expect{Host: "old." + h, Target: "/old", Want: 0, Why: "the first version"},
			ask.Expect{Host: "both." + h, Target: "/both/x", Want: 0, Why: "the first version"},
		)
		t.Step("the route is replaced")
		t.Put(ctx, "routes/"+t.Name("a"), t.Render(`{"hosts": ["new.{{.Host}}", "both.{{.Host}}"], "uris": ["/new", "/both/*"], "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}`))
		t.Wait(ctx)
		ask.Route(ctx, t,
			ask.Expect{Host: "new." + h, Target: "/new", Want: 1, Why: "a new host and a new path"},
			ask.Expect{Host: "both." + h, Target: "/new", Want: 1, Why: "a new path of a host that stays"},
			ask.Expect{Host: "both." + h, Target: "/both/x", Want: 1, Why: "what both have"},
			ask.Expect{Host: "both." + h, Target: "/old", Want: ask.None, Why: "the old path"},
			ask.Expect{Host: "old." + h, Target: "/old", Want: ask.None, Why: "the old host"},
			ask.Expect{Host: "old." + h, Target: "/both/x", Want: ask.None, Why: "the old host"},
		)
	},
}
