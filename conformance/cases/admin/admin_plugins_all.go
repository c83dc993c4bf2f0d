package admin

import (
	"context"
	"net/http"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API that tells of plugins what nobody can build on.
var adminPluginsAll = spec.Case{
	ID: "ADMIN-PLUGINS-ALL", Level: spec.Must, Needs: []spec.Feature{spec.AdminPlugins},
	Title: "All plugins are told at once, each with version, priority and schema, and those for consumers and of its metadata where there are any.",
	Refs:  []string{"APISIX 3.18 Admin API, plugin and schema endpoints"},
	After: []string{"ADMIN-PLUGINS-LIST"},
	Run: func(ctx context.Context, t *spec.T) {
		r := ask.Answered(ctx, t, get("/plugins?all=true"), http.StatusOK)
		all := r.JSON()
		for name, fields := range map[string][]string{"key-auth": {"version", "priority", "schema", "consumer_schema", "type"}, "http-logger": {"schema", "metadata_schema"}} {
			for _, f := range fields {
				t.Check(in(all, name, f) != nil, "%s has no %s", name, f)
			}
		}
		t.Check(text(in(all, "key-auth", "priority")) == "2500" && in(all, "key-auth", "type") == "auth", "key-auth is %v of type %v, want 2500, auth", in(all, "key-auth", "priority"), in(all, "key-auth", "type"))
	},
}
