package admin

import (
	"context"
	"net/http"
	"regexp"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

var position = regexp.MustCompile(`[0-9]`)

// Catches an Admin API that says of a file of a thousand lines only that it is
// wrong.
var adminBadJSONPosition = spec.Case{
	ID: "ADMIN-BAD-JSON-POSITION", Level: spec.Should, Needs: []spec.Feature{spec.AdminCRUD},
	Title: "Of a body that is no JSON the message says where it goes wrong.",
	Refs:  []string{"APISIX 3.18 Admin API, early errors: decoder message"},
	After: []string{"ADMIN-BAD-JSON"},
	Run: func(ctx context.Context, t *spec.T) {
		for _, body := range broken {
			r := ask.Answered(ctx, t, put("/routes/"+t.Name("r"), body), http.StatusBadRequest)
			msg, _ := r.JSON()["error_msg"].(string)
			t.Check(position.MatchString(msg), "%q: got %q, want a position", body, msg)
		}
	},
}
