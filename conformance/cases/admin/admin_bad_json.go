package admin

import (
	"context"
	"net/http"
	"strings"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// broken are bodies that are no JSON. How a decoder takes a number in a row of
// zeros or a repeated name is its own affair; about these there is no doubt.
var broken = []string{`{`, `{"uri":}`, `{"uri":"/a"`, `{"uri":"/a",}`, `["/a"`, `{'uri':'/a'}`, `{"uri":"/a}`, `not json`}

// Catches an Admin API that leaves the operator to guess which of his scripts
// sent what.
var adminBadJSON = spec.Case{
	ID: "ADMIN-BAD-JSON", Level: spec.Must, Needs: []spec.Feature{spec.AdminCRUD},
	Title: "A body that is no JSON is refused with 400, whatever the method and before anything else is looked at, and comes back in req_body as it was sent.",
	Refs:  []string{"APISIX 3.18 Admin API, early errors: body not JSON"},
	After: []string{"ADMIN-BAD-BODY"},
	Run: func(ctx context.Context, t *spec.T) {
		for _, body := range broken {
			for _, c := range []spec.Call{put("/routes/"+t.Name("r"), body), post("/routes", body), patch("/routes/"+t.Name("r"), body)} {
				r := ask.Answered(ctx, t, c, http.StatusBadRequest)
				msg, _ := r.JSON()["error_msg"].(string)
				t.Check(strings.HasPrefix(msg, "invalid request body: ") && r.JSON()["req_body"] == body, "%s with %q: got %s, want the reason in error_msg and the body in req_body", c.Method, body, r)
			}
		}
	},
}
