package admin

import (
	"context"
	"net/http"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API whose schema is not the one by which it judges: forms that
// are made from it let wrong objects through.
var adminSchema = spec.Case{
	ID: "ADMIN-SCHEMA", Level: spec.Must, Needs: []spec.Feature{spec.AdminSchema},
	Title: "GET of a kind's schema is a JSON schema of its fields, and of a kind that does not exist 400 with its name.",
	Refs:  []string{"APISIX 3.18 Admin API, schema endpoints"},
	Run: func(ctx context.Context, t *spec.T) {
		for kind, fields := range map[string][]string{
			"route": {"uri", "host", "methods", "upstream_id", "plugins"}, "service": {"upstream_id", "plugins"},
			"upstream": {"nodes", "type", "checks"},
		} {
			r := ask.Answered(ctx, t, get("/schema/"+kind), http.StatusOK)
			properties, _ := r.JSON()["properties"].(map[string]any)
			t.Check(r.JSON()["type"] == "object" && r.JSON()["additionalProperties"] == false, "schema of %s: want type object, closed; got %.200s", kind, r.Body)
			for _, f := range fields {
				t.Check(properties[f] != nil, "schema of %s: lacks %s", kind, f)
			}
		}
		ask.Refused(ctx, t, get("/schema/no-such-kind"), http.StatusBadRequest, "not found schema: no-such-kind")
	},
}
