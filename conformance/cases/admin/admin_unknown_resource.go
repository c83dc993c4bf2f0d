package admin

import (
	"context"
	"net/http"
	"strings"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API that answers for resources that it does not have as if
// they were empty: an operator with a typing error believes that all is done.
var adminUnknownResource = spec.Case{
	ID: "ADMIN-UNKNOWN-RESOURCE", Level: spec.Must, Needs: []spec.Feature{spec.AdminCRUD},
	Title: "A resource that does not exist is 404 and named in the message, whatever the method, and nothing of it is stored; a path outside of the API is 404.",
	Refs:  []string{"APISIX 3.18 Admin API, early errors"},
	After: []string{"ADMIN-ENVELOPE"},
	Run: func(ctx context.Context, t *spec.T) {
		for _, c := range []spec.Call{
			get("/route"), get("/route/1"), put("/route/1", route(t, "")), post("/Routes", route(t, "")), del("/upstream/1"),
			patch("/no-such-kind/1", `{"desc":"x"}`), get("/_gen_id"),
		} {
			name, _, _ := strings.Cut(c.Path[1:], "/")
			ask.Refused(ctx, t, c, http.StatusNotFound, "Unsupported resource type: "+name)
		}
		outside := t.Env().Admin()
		outside.URL = strings.TrimSuffix(outside.URL, "/admin")
		r, err := outside.Do(ctx, get("/no-such-api/routes"))
		t.Check(err == nil && r.Status == http.StatusNotFound, "GET outside of the API: got %s, %v, want 404", r, err)
	},
}
