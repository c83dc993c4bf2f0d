package admin

import (
	"context"
	"net/http"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API from which no form for a plugin can be made.
var adminPluginSchema = spec.Case{
	ID: "ADMIN-PLUGIN-SCHEMA", Level: spec.Must, Needs: []spec.Feature{spec.AdminPlugins},
	Title: "A plugin's schema is served at two places, that for consumers on demand; what does not exist is told.",
	Refs:  []string{"APISIX 3.18 Admin API, plugin and schema endpoints"},
	After: []string{"ADMIN-PLUGINS-LIST"},
	Run: func(ctx context.Context, t *spec.T) {
		for _, at := range []string{"/plugins/", "/schema/plugins/"} {
			r := ask.Answered(ctx, t, get(at+"key-auth"), http.StatusOK)
			t.Check(in(r.JSON(), "properties", "header") != nil && in(r.JSON(), "properties", "_meta") != nil && in(r.JSON(), "properties", "key") == nil, "%skey-auth: got %s", at, r)
			r = ask.Answered(ctx, t, get(at+"key-auth?schema_type=consumer"), http.StatusOK)
			t.Check(in(r.JSON(), "properties", "key") != nil, "%skey-auth for consumers: got %s", at, r)
			ask.Refused(ctx, t, get(at+"key-oauth"), http.StatusNotFound, "plugin not found in subsystem http")
			ask.Refused(ctx, t, get(at+"proxy-mirror?schema_type=consumer"), http.StatusBadRequest, "not found schema")
			ask.Refused(ctx, t, get(at+"key-auth?subsystem=udp"), http.StatusBadRequest, "unsupported subsystem: udp")
		}
	},
}
