package routing

import (
	"context"
	"net/http"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that serves a route without the plugin config that it names, which
// may have guarded it.
var routePluginConfigGone = spec.Case{
	ID: "ROUTE-PLUGIN-CONFIG-GONE", Level: spec.Must, Needs: []spec.Feature{spec.RoutePlugins, spec.AdminReferences},
	Title: "While its plugin config is gone a route is answered 503, also when its service is gone, too; it serves again once both are back.",
	Refs:  []string{"APISIX 3.18 answers of the gateway itself", "APISIX 3.18 Admin API, DELETE with force=true"},
	After: []string{"ROUTE-REFERENCE-GONE"},
	Objects: `
-- plugin_configs/{{.ID}}-p --
{"plugins": {"request-id": {}}}
-- services/{{.ID}}-s --
{"upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-a --
{"host": "{{.Host}}", "uri": "/x", "plugin_config_id": "{{.ID}}-p", "service_id": "{{.ID}}-s"}
-- routes/{{.ID}}-b --
{"host": "{{.Host}}", "uri": "/*", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}
`,
	Backends: 2,
	Run: func(ctx context.Context, t *spec.T) {
		there := ask.Expect{Host: t.Host(), Target: "/x", Want: 0, Why: "its plugin config is there"}
		other := ask.Expect{Host: t.Host(), Target: "/other", Want: 1, Why: "a route that needs none"}
		ask.Route(ctx, t, there, other)
		gone := []int{http.StatusServiceUnavailable}

		t.Step("the plugin config goes")
		ask.Answered(ctx, t, spec.Call{Method: http.MethodDelete, Path: "/plugin_configs/" + t.Name("p") + "?force=true"}, http.StatusOK)
		t.Wait(ctx)
		refused(ctx, t, gone, ask.Expect{Host: t.Host(), Target: "/x", Why: "its plugin config is gone, and the prefix is no substitute"})
		ask.Route(ctx, t, other)

		t.Step("the service goes, too")
		ask.Answered(ctx, t, spec.Call{Method: http.MethodDelete, Path: "/services/" + t.Name("s") + "?force=true"}, http.StatusOK)
		t.Wait(ctx)
		refused(ctx, t, gone, ask.Expect{Host: t.Host(), Target: "/x", Why: "both are gone, and the plugin config is missed first"})

		t.Step("both come back")
		t.Put(ctx, "services/"+t.Name("s"), t.Render(`{"upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}`))
		t.Put(ctx, "plugin_configs/"+t.Name("p"), `{"plugins": {}}`)
		t.Wait(ctx)
		ask.Route(ctx, t, there, other)
	},
}
