package admin

import (
	"context"
	"net/http"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API that keeps keys of nobody, or lets a consumer's keys outlive
// it.
var adminCredentialOwner = spec.Case{
	ID: "ADMIN-CREDENTIAL-OWNER", Level: spec.Must, Needs: []spec.Feature{spec.AdminCredentials},
	Title: "A credential needs its consumer, and goes with it; deleting one that went so is no error.",
	Refs:  []string{"APISIX 3.18 Admin API, resources: credentials"},
	After: []string{"ADMIN-CREDENTIAL"},
	Run: func(ctx context.Context, t *spec.T) {
		user := t.Name("jack")
		path := "/consumers/" + user + "/credentials/c"
		ask.Refused(ctx, t, put(path, `{}`), http.StatusNotFound, "consumer not found")
		t.Put(ctx, "consumers/"+user, `{"username":"`+user+`"}`)
		ask.Answered(ctx, t, put(path, `{}`), http.StatusCreated)
		t.Delete(ctx, "consumers/"+user)
		ask.Missing(ctx, t, get(path))
		t.Put(ctx, "consumers/"+user, `{"username":"`+user+`"}`)
		ask.Missing(ctx, t, get(path))
	},
}
