package admin

import (
	"context"
	"net/http"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API that makes an object permanent that was meant to go.
var adminTtlBad = spec.Case{
	ID: "ADMIN-TTL-BAD", Level: spec.Must, Needs: []spec.Feature{spec.AdminCRUD},
	Title: "A ttl that is no number is refused for whatever write, and nothing is written.",
	Refs:  []string{"APISIX 3.18 Admin API, early errors: ttl"},
	After: []string{"ADMIN-TTL"},
	Run: func(ctx context.Context, t *spec.T) {
		path := "/routes/" + t.Name("r")
		for _, ttl := range []string{"x", "1s", "1,5"} {
			for _, c := range []spec.Call{put(path+"?ttl="+ttl, route(t, "")), post("/routes?ttl="+ttl, route(t, "")), patch(path+"?ttl="+ttl, `{}`)} {
				ask.Refused(ctx, t, c, http.StatusBadRequest, "invalid argument ttl: should be a number")
			}
		}
		ask.Missing(ctx, t, get(path))
	},
}
