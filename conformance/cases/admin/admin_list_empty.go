package admin

import (
	"bytes"
	"context"
	"net/http"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API whose empty list is null, an object or a 404: clients
// that diff what is there with what should be stop at it.
var adminListEmpty = spec.Case{
	ID: "ADMIN-LIST-EMPTY", Level: spec.Must, Needs: []spec.Feature{spec.AdminCRUD},
	Title: `A list of nothing is 200 with {"list":[],"total":0}.`,
	Refs:  []string{"APISIX 3.18 Admin API, response envelope: list"},
	After: []string{"ADMIN-ENVELOPE"},
	Run: func(ctx context.Context, t *spec.T) {
		empty := 0
		for _, kind := range []string{"routes", "services", "upstreams"} {
			r := ask.Answered(ctx, t, get("/"+kind), http.StatusOK)
			if list, ok := r.JSON()["list"].([]any); ok && len(list) > 0 {
				continue // of somebody else
			}
			empty++
			list, ok := r.JSON()["list"].([]any)
			t.Check(ok && list != nil && len(list) == 0 && text(r.JSON()["total"]) == "0" && bytes.Contains(r.Body, []byte(`[]`)),
				`list of %s: got %s, want {"list":[],"total":0}`, kind, r)
		}
		if empty == 0 {
			t.Brokenf("routes, services and upstreams all have objects of somebody else")
		}
	},
}
