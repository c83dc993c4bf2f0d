package admin

import (
	"context"
	"net/http"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API that refuses the method before it has looked at the body, as
// clients can tell from the message.
var adminOrderMethod = spec.Case{
	ID: "ADMIN-ORDER-METHOD", Level: spec.Must, Needs: []spec.Feature{spec.AdminKinds},
	Title: "That a kind has not the method is said after what is wrong with body and ttl, and before ids.",
	Refs:  []string{"APISIX 3.18 Admin API, order of the checks on a write"},
	After: []string{"ADMIN-METHOD-NOT-ALLOWED"},
	Run: func(ctx context.Context, t *spec.T) {
		ask.Refused(ctx, t, post("/consumers", `{`), http.StatusBadRequest, "invalid request body: ")
		ask.Refused(ctx, t, post("/consumers?ttl=x", `{}`), http.StatusBadRequest, "invalid argument ttl: should be a number")
		ask.Refused(ctx, t, post("/consumers", ``), http.StatusMethodNotAllowed, "not supported `POST` method for consumer")
		ask.Refused(ctx, t, patch("/consumers", ``), http.StatusMethodNotAllowed, "not supported `PATCH` method for consumer")
	},
}
