package routing

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that closes a route, or refuses it, because of a plugin that
// guards nothing or is switched off.
var routePluginOpen = spec.Case{
	ID: "ROUTE-PLUGIN-OPEN", Level: spec.Must, Needs: []spec.Feature{spec.RoutePlugins},
	Title: "Plugins that guard nothing keep no request from its target, nor do plugins that are switched off; one of the route that is switched off also replaces that of its service.",
	Refs:  []string{"APISIX 3.18 plugins, _meta.disable", "APISIX 3.18 merge of route and service: a plugin of the route replaces that of the service"},
	After: []string{"ROUTE-PLUGIN-GUARDS"},
	Objects: `
-- services/{{.ID}}-guarded --
{"plugins": {"basic-auth": {}}}
-- services/{{.ID}}-marked --
{"plugins": {"request-id": {}}}
-- routes/{{.ID}}-own --
{"host": "{{.Host}}", "uri": "/own", "plugins": {"request-id": {}, "proxy-control": {}}, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-inherited --
{"host": "{{.Host}}", "uri": "/inherited", "service_id": "{{.ID}}-marked", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}
-- routes/{{.ID}}-off --
{"host": "{{.Host}}", "uri": "/off", "plugins": {"key-auth": {"_meta": {"disable": true}}}, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-replaced --
{"host": "{{.Host}}", "uri": "/replaced", "service_id": "{{.ID}}-guarded", "plugins": {"basic-auth": {"_meta": {"disable": true}}}, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}
`,
	Backends: 2,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		ask.Route(ctx, t,
			ask.Expect{Host: h, Target: "/own", Want: 0, Why: "plugins of the route that guard nothing"},
			ask.Expect{Host: h, Target: "/inherited", Want: 1, Why: "a plugin of the service that guards nothing"},
			ask.Expect{Host: h, Target: "/off", Want: 0, Why: "a plugin that is switched off"},
			ask.Expect{Host: h, Target: "/replaced", Want: 1, Why: "a plugin of the service that the route switches off"},
		)
	},
}
