package admin

import (
	"context"
	"net/http"

	"github.com/unilb/unilb/conformance/cases/ask"
	"github.com/unilb/unilb/conformance/spec"
)

// Catches an Admin API with which a client that deletes a consumer and then its
// credentials, as ADC does, fails at the second step.
var adminCredentialGone = spec.Case{
	ID: "ADMIN-CREDENTIAL-GONE", Level: spec.Should, Needs: []spec.Feature{spec.AdminCredentials},
	Title: `Deleting a credential whose consumer does not exist is 200 with deleted "0".`,
	Refs:  []string{"docs/wire.md 2", "APISIX 3.18 Admin API, resources: credentials"},
	After: []string{"ADMIN-CREDENTIAL-OWNER"},
	Run: func(ctx context.Context, t *spec.T) {
		user := t.Name("jack")
		t.Put(ctx, "consumers/"+user, `{"username":"`+user+`"}`)
		path := "/consumers/" + user + "/credentials/c"
		ask.Answered(ctx, t, put(path, `{}`), http.StatusCreated)
		t.Delete(ctx, "consumers/"+user)
		r := ask.Answered(ctx, t, del(path), http.StatusOK)
		t.Check(r.JSON()["deleted"] == "0", "DELETE: got %s, want deleted \"0\"", r)
	},
}
