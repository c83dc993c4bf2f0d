package control

import (
	"context"
	"fmt"
	"net/http"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches a gateway that does not say by what it judges objects and plugins.
var controlSchema = spec.Case{
	ID: "CONTROL-SCHEMA", Level: spec.Should, Needs: []spec.Feature{spec.ControlObjects},
	Title: "The control API tells the schemas of the kinds of objects, and of each plugin its schemas, priority, version and type.",
	Refs:  []string{"APISIX 3.18 control API, /v1/schema"},
	Run: func(ctx context.Context, t *spec.T) {
		each(t, func(gw spec.Gateway) {
			all := answered(ctx, t, gw, "/v1/schema", http.StatusOK, "").JSON()
			for _, kind := range []string{"route", "service", "upstream", "consumer", "ssl", "global_rule"} {
				t.Check(in(all, "main", kind, "properties") != nil, "%s: no schema of %s", gw.Ref, kind)
			}
			plugin := in(all, "plugins", "key-auth")
			t.Check(in(plugin, "schema") != nil && in(plugin, "consumer_schema") != nil && fmt.Sprint(in(plugin, "priority")) == "2500" && in(plugin, "type") == "auth" && in(plugin, "version") != nil,
				"%s: key-auth: got %.300v, want its schemas, priority 2500, a version and type auth", gw.Ref, plugin)
			t.Check(in(all, "stream_plugins") != nil, "%s: no stream_plugins", gw.Ref)
		})
	},
}
