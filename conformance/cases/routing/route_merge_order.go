package routing

import (
	"context"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that joins plugins of one name, or has the service or the plugin
// config win.
var routeMergeOrder = spec.Case{
	ID: "ROUTE-MERGE-ORDER", Level: spec.Must, Needs: []spec.Feature{spec.RoutePlugins},
	Title: "A plugin of the route replaces that of its plugin config, and one of the plugin config that of the service, also when it is switched off.",
	Refs:  []string{"APISIX 3.18 merge of route, plugin config and service, whole plugins", "APISIX 3.18 plugins, _meta.disable"},
	After: []string{"ROUTE-MERGE-GUARDS", "ROUTE-PLUGIN-OPEN"},
	Objects: `
-- plugin_configs/{{.ID}}-on --
{"plugins": {"basic-auth": {}}}
-- plugin_configs/{{.ID}}-off --
{"plugins": {"basic-auth": {"_meta": {"disable": true}}}}
-- services/{{.ID}} --
{"plugins": {"basic-auth": {}}}
-- routes/{{.ID}}-route --
{"host": "{{.Host}}", "uri": "/route", "plugin_config_id": "{{.ID}}-on", "plugins": {"basic-auth": {"_meta": {"disable": true}}}, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-config --
{"host": "{{.Host}}", "uri": "/config", "plugin_config_id": "{{.ID}}-off", "service_id": "{{.ID}}", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 1}}": 1}}}
-- routes/{{.ID}}-all --
{"host": "{{.Host}}", "uri": "/all", "plugin_config_id": "{{.ID}}-on", "service_id": "{{.ID}}", "plugins": {"basic-auth": {"_meta": {"disable": true}}}, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
`,
	Backends: 2,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		ask.Route(ctx, t,
			ask.Expect{Host: h, Target: "/route", Want: 0, Why: "the route switches off what its plugin config has"},
			ask.Expect{Host: h, Target: "/config", Want: 1, Why: "the plugin config switches off what the service has"},
			ask.Expect{Host: h, Target: "/all", Want: 0, Why: "the route switches off what both have"},
		)
	},
}
