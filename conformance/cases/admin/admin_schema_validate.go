package admin

import (
	"context"
	"net/http"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches a dry run that stores what it was to look at, or finds nothing wrong.
var adminSchemaValidate = spec.Case{
	ID: "ADMIN-SCHEMA-VALIDATE", Level: spec.Must, Needs: []spec.Feature{spec.AdminSchema},
	Title: "An object can be checked against its schema without storing it: 200 without a body, or 400 with the reason.",
	Refs:  []string{"APISIX 3.18 Admin API, schema endpoints: validate"},
	After: []string{"ADMIN-SCHEMA"},
	Run: func(ctx context.Context, t *spec.T) {
		id := t.Name("r")
		r := ask.Answered(ctx, t, post("/schema/validate/routes", route(t, `"id":"`+id+`",`)), http.StatusOK)
		t.Check(len(r.Body) == 0, "a valid route: got %s, want 200 and no body", r)
		ask.Answered(ctx, t, post("/schema/validate/upstreams", `{`+nodes+`}`), http.StatusOK)
		for _, bad := range []string{`{"uri":7}`, `{"uri":"/a","no_such_field":1,"upstream":{` + nodes + `}}`, `{"uri":"/a","methods":["FETCH"],"upstream":{` + nodes + `}}`} {
			ask.Refused(ctx, t, post("/schema/validate/routes", bad), http.StatusBadRequest, "")
		}
		ask.Refused(ctx, t, post("/schema/validate/route", route(t, "")), http.StatusNotFound, "Unsupported resource type: route")
		ask.Missing(ctx, t, get("/routes/"+id))
	},
}
