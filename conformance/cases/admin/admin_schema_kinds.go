package admin

import (
	"context"
	"net/http"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API whose dashboard can make routes and nothing else.
var adminSchemaKinds = spec.Case{
	ID: "ADMIN-SCHEMA-KINDS", Level: spec.Must, Needs: []spec.Feature{spec.AdminSchema},
	Title: "The schema of every kind is served under its singular name, and is closed; other names are refused.",
	Refs:  []string{"APISIX 3.18 Admin API, plugin and schema endpoints"},
	After: []string{"ADMIN-SCHEMA"},
	Run: func(ctx context.Context, t *spec.T) {
		for kind, field := range map[string]string{
			"consumer": "username", "credential": "plugins", "ssl": "snis", "proto": "content", "global_rule": "plugins", "stream_route": "server_port",
			"plugin_config": "plugins", "consumer_group": "plugins",
		} {
			r := ask.Answered(ctx, t, get("/schema/"+kind), http.StatusOK)
			t.Check(in(r.JSON(), "properties", field) != nil && r.JSON()["additionalProperties"] == false, "schema of %s: got %s, want a closed one with %s", kind, r, field)
		}
		refusedWith(ctx, t, no{get("/schema/routes"), "not found schema: routes"}, no{get("/schema/consumers"), "not found schema: consumers"})
	},
}
