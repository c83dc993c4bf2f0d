package routing

import (
	"context"
	"net/http"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
	"github.com/unilb/unilb/sim/traffic"
)

// Catches a gateway that does not look at the plugins of a plugin config, or only when
// the route is written.
var routeMergeGuards = spec.Case{
	ID: "ROUTE-MERGE-GUARDS", Level: spec.Must, Needs: []spec.Feature{spec.RoutePlugins},
	Title: "What guards a plugin config guards all routes that name it, beside what guards their service, and follows the plugin config without a change of the routes.",
	Refs:  []string{"APISIX 3.18 merge of route and plugin config", "APISIX 3.18 plugins key-auth, basic-auth"},
	After: []string{"ROUTE-PLUGIN-GUARDS"},
	Objects: `
-- plugin_configs/{{.ID}} --
{"plugins": {"key-auth": {}}}
-- services/{{.ID}} --
{"plugins": {"basic-auth": {}}}
-- routes/{{.ID}}-own --
{"host": "{{.Host}}", "uri": "/own", "plugin_config_id": "{{.ID}}", "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-beside --
{"host": "{{.Host}}", "uri": "/beside", "plugin_config_id": "{{.ID}}", "plugins": {"request-id": {}}, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
-- routes/{{.ID}}-both --
{"host": "{{.Host}}", "uri": "/both", "plugin_config_id": "{{.ID}}", "service_id": "{{.ID}}", "plugins": {"key-auth": {"_meta": {"disable": true}}}, "upstream": {"type": "roundrobin", "nodes": {"{{index .Backends 0}}": 1}}}
`,
	Backends: 1,
	Run: func(ctx context.Context, t *spec.T) {
		h := t.Host()
		closed := func(target, plugin, why string) {
			for _, gw := range t.Env().Gateways() {
				r := ask.Session(t, gw.Data, traffic.Options{}).Do(ctx, traffic.Request{Method: http.MethodGet, Host: h, Target: target})
				guarded(t, gw, r, "GET "+target, plugin, why)
			}
		}
		closed("/own", "key-auth", "a plugin of the plugin config")
		closed("/beside", "key-auth", "a plugin of the plugin config beside one of the route")
		closed("/both", "basic-auth", "a plugin of the service behind a plugin config")

		t.Step("the plugin config guards nothing any more")
		t.Put(ctx, t.Render("plugin_configs/{{.ID}}"), `{"plugins": {"request-id": {}}}`)
		t.Wait(ctx)
		ask.Route(ctx, t, ask.Expect{Host: h, Target: "/own", Want: 0, Why: "the plugin is gone"},
			ask.Expect{Host: h, Target: "/beside", Want: 0, Why: "the plugin is gone"})
		closed("/both", "basic-auth", "a plugin of the service, which stays")

		t.Step("and guards again, by another plugin")
		t.Put(ctx, t.Render("plugin_configs/{{.ID}}"), `{"plugins": {"basic-auth": {}}}`)
		t.Wait(ctx)
		closed("/own", "basic-auth", "a plugin that is new in the plugin config")
	},
}
