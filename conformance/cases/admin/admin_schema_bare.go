package admin

import (
	"context"
	"net/http"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API that looks at more than the schema, so that an object cannot be
// checked before what it refers to is there.
var adminSchemaBare = spec.Case{
	ID: "ADMIN-SCHEMA-BARE", Level: spec.Must, Needs: []spec.Feature{spec.AdminSchema},
	Title: "Checked against its schema alone, an object may hold plugins and references that do not exist, and the reason comes without a prefix.",
	Refs:  []string{"APISIX 3.18 Admin API, plugin and schema endpoints"},
	After: []string{"ADMIN-SCHEMA-VALIDATE"},
	Run: func(ctx context.Context, t *spec.T) {
		ask.Answered(ctx, t, post("/schema/validate/routes", `{"uri":"/a","upstream_id":"none","plugins":{"key-oauth":{}}}`), http.StatusOK)
		ask.Answered(ctx, t, post("/schema/validate/upstreams", `{"nodes":{"192.0.2.1:65536":1},"create_time":1}`), http.StatusOK)
		refusedWith(ctx, t,
			no{post("/schema/validate/routes", `{"uri":7,"plugins":{}}`), `property "uri" validation failed: wrong type: expected string, got number`},
			no{post("/schema/validate/consumers", `{}`), `property "username" is required`},
			no{post("/schema/validate/global_rules", `{"plugins":{}}`), `property "id" is required`},
		)
	},
}
