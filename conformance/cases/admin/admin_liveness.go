package admin

import (
	"context"
	"net/http"

	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API that clients take for dead: they ask for its root without
// a key before they do anything else.
var adminLiveness = spec.Case{
	ID: "ADMIN-LIVENESS", Level: spec.Must, Needs: []spec.Feature{spec.AdminCRUD},
	Title: "HEAD of the Admin API's root is 200 without a key and has no body.",
	Refs:  []string{"APISIX 3.18 Admin API, authentication: HEAD /apisix/admin", "RFC 9110 9.3.2"},
	Run: func(ctx context.Context, t *spec.T) {
		r := t.Call(ctx, spec.Call{Method: http.MethodHead, NoKey: true})
		t.Check(r.Status == http.StatusOK && len(r.Body) == 0, "HEAD: got %s, want 200 and nothing else", r)
	},
}
